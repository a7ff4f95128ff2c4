"""Only the very bytes that the lock file names are ever used."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploy.local.errors import FetchFailed, Prerequisite
from deploy.local.jars import LOCK, Jar, fetch, lock_of, read_lock
from deploy.local.ports import free_port
from deploy.local.progress import Silent

CONTENT = b"a jar, no doubt" * 1000
JAR = Jar("org.example:thing:1.0", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))


class Central:
    """Stands in for Maven Central."""

    def __init__(self, content: bytes = CONTENT) -> None:
        self.content = content
        self.asked: list[str] = []

    def __call__(self, coordinates: str) -> Iterator[bytes]:
        self.asked.append(coordinates)
        yield self.content[:100]
        yield self.content[100:]


class Bar:
    def __init__(self) -> None:
        self.moves: list[tuple[int, int]] = []

    def say(self, text: str) -> None:
        pass

    def fetched(self, done: int, total: int) -> None:
        self.moves.append((done, total))


def test_the_committed_lock_is_good_and_names_no_host() -> None:
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
def test_a_lock_line_that_is_none_is_named(line: str) -> None:
    with pytest.raises(FetchFailed, match=r"line 2 of kafka-jars\.lock is not"):
        read_lock(f"# a comment\n{line}\n")


def test_a_lock_is_made_from_a_directory_that_maven_filled(tmp_path: Path) -> None:
    path = tmp_path / "org" / "example" / "thing" / "1.0" / "thing-1.0.jar"
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    assert read_lock(lock_of(tmp_path)) == [JAR]


def test_a_jar_is_fetched_once_with_a_bar_that_ends_full(tmp_path: Path) -> None:
    central, bar = Central(), Bar()
    (path,) = fetch([JAR], tmp_path, bar, central)
    assert path.read_bytes() == CONTENT
    assert bar.moves[-1] == (JAR.size, JAR.size)
    fetch([JAR], tmp_path, bar, central)
    assert central.asked == [JAR.coordinates]


def test_a_damaged_jar_is_fetched_again(tmp_path: Path) -> None:
    (tmp_path / JAR.file_name).write_bytes(CONTENT[:-1] + b"!")
    (path,) = fetch([JAR], tmp_path, Silent(), Central())
    assert path.read_bytes() == CONTENT


def test_other_bytes_than_the_locked_ones_are_refused_and_not_kept(tmp_path: Path) -> None:
    with pytest.raises(FetchFailed, match=r"org\.example:thing:1\.0 as fetched has SHA-256 .* not the locked"):
        fetch([JAR], tmp_path, Silent(), Central(CONTENT + b"malice"))
    assert list(tmp_path.iterdir()) == []


def test_a_download_that_breaks_off_is_tried_again(tmp_path: Path) -> None:
    tries = []

    def shaky(coordinates: str) -> Iterable[bytes]:
        tries.append(coordinates)
        yield CONTENT[:50]
        if len(tries) < 3:
            raise FetchFailed("connection lost")
        yield CONTENT[50:]

    fetch([JAR], tmp_path, Silent(), shaky)
    assert (tmp_path / JAR.file_name).read_bytes() == CONTENT


def test_two_runs_may_fetch_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: fetch([JAR], tmp_path, Silent(), Central()), range(8)))
    assert [path.name for path in tmp_path.iterdir()] == [JAR.file_name]


def test_without_a_network_one_line_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAVEN_URL", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(FetchFailed, match=r"cannot fetch .* or set KAFKA_BOOTSTRAP_SERVERS") as failed:
        fetch([JAR], tmp_path, Silent())
    assert "\n" not in str(failed.value)


def test_a_cache_that_cannot_be_written_names_its_setting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Prerequisite, match="set SHOP_CACHE"):
        fetch([JAR], tmp_path / "file" / "cache", Silent(), Central())
