"""Only the bytes that the lock file names are ever used."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploy.local.errors import DownloadFailed, PrerequisiteMissing
from deploy.local.jars import LOCK, Jar, download, make_lock, read_lock
from deploy.local.ports import free_port
from deploy.local.progress import NoProgress

CONTENT = b"the bytes of a jar" * 1000
JAR = Jar("org.example:thing:1.0", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))


class Central:
    """Stands in for Maven Central."""

    def __init__(self, content: bytes = CONTENT) -> None:
        self.content = content
        self.requests: list[str] = []

    def __call__(self, coordinates: str) -> Iterator[bytes]:
        self.requests.append(coordinates)
        yield self.content[:100]
        yield self.content[100:]


class RecordedProgress:
    def __init__(self) -> None:
        self.downloads: list[tuple[int, int]] = []

    def report(self, text: str) -> None:
        pass

    def downloaded(self, done: int, total: int) -> None:
        self.downloads.append((done, total))


def test_the_committed_lock_is_well_formed_and_names_no_host() -> None:
    text = LOCK.read_text()
    jars = read_lock(text)
    assert {jar.coordinates for jar in jars} >= {
        "org.apache.kafka:kafka_2.13:4.4.0",
        "org.apache.logging.log4j:log4j-slf4j-impl:2.25.3",
    }
    assert not re.search(r"https?:|\.com/|\.org/", text)


@pytest.mark.parametrize(
    "line",
    [
        "thing",
        "a:b sha256:" + "0" * 64 + " 1",
        "a:b:c sha256:12 1",
        "a:b:c md5:" + "0" * 64 + " 1",
        "a:b:c sha256:" + "0" * 64,
    ],
)
def test_a_malformed_lock_line_is_reported(line: str) -> None:
    with pytest.raises(DownloadFailed, match=r"line 2 of kafka-jars\.lock is not"):
        read_lock(f"# a comment\n{line}\n")


def test_a_lock_is_made_from_a_directory_in_mavens_layout(tmp_path: Path) -> None:
    path = tmp_path / "org" / "example" / "thing" / "1.0" / "thing-1.0.jar"
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    assert read_lock(make_lock(tmp_path)) == [JAR]


def test_a_jar_is_downloaded_once_and_its_progress_ends_at_the_total(tmp_path: Path) -> None:
    central, progress = Central(), RecordedProgress()
    (path,) = download([JAR], tmp_path, progress, central)
    assert path.read_bytes() == CONTENT
    assert progress.downloads[-1] == (JAR.size, JAR.size)
    download([JAR], tmp_path, progress, central)
    assert central.requests == [JAR.coordinates]


def test_a_damaged_jar_is_downloaded_again(tmp_path: Path) -> None:
    (tmp_path / JAR.file_name).write_bytes(CONTENT[:-1] + b"!")
    (path,) = download([JAR], tmp_path, NoProgress(), Central())
    assert path.read_bytes() == CONTENT


def test_other_bytes_than_the_locked_ones_are_refused_and_not_stored(tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match=r"org\.example:thing:1\.0 as downloaded has SHA-256 .* not the locked"):
        download([JAR], tmp_path, NoProgress(), Central(CONTENT + b"malice"))
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_download_is_repeated(tmp_path: Path) -> None:
    attempts = []

    def unreliable(coordinates: str) -> Iterable[bytes]:
        attempts.append(coordinates)
        yield CONTENT[:50]
        if len(attempts) < 3:
            raise DownloadFailed("connection lost")
        yield CONTENT[50:]

    download([JAR], tmp_path, NoProgress(), unreliable)
    assert (tmp_path / JAR.file_name).read_bytes() == CONTENT


def test_several_runs_may_download_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: download([JAR], tmp_path, NoProgress(), Central()), range(8)))
    assert [path.name for path in tmp_path.iterdir()] == [JAR.file_name]


def test_without_a_network_one_line_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAVEN_URL", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(DownloadFailed, match=r"cannot download .* or set KAFKA_BOOTSTRAP_SERVERS") as failed:
        download([JAR], tmp_path, NoProgress())
    assert "\n" not in str(failed.value)


def test_a_cache_that_cannot_be_written_names_its_setting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PrerequisiteMissing, match="set SHOP_CACHE"):
        download([JAR], tmp_path / "file" / "cache", NoProgress(), Central())
