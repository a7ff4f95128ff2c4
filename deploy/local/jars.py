"""Download the jars that a lock file names from Maven Central, and accept exactly the locked bytes.

A line of the lock file is ``group:artifact:version sha256:<hex> <bytes>``. The files go to a cache that all runs on
this machine share. Each is written under another name and renamed when its digest is right, so two runs may download
at once, and no run sees a partial file.
"""

import hashlib
import os
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import DownloadFailed, PrerequisiteMissing, first_line
from deploy.local.progress import Progress

LOCK = Path(__file__).with_name("kafka-jars.lock")
ATTEMPTS = 3
CHUNK = 64 * 1024
TIMEOUT = (10, 30)
"""Seconds to connect, and to wait for the next bytes."""

Source = Callable[[str], Iterable[bytes]]
"""The bytes of an artifact; raises ``DownloadFailed``."""


@dataclass(frozen=True)
class Jar:
    """One locked file: its Maven coordinates ``group:artifact:version``, digest and size in bytes."""

    coordinates: str
    sha256: str
    size: int

    @property
    def file_name(self) -> str:
        """``artifact-version.jar``, as Maven names it."""
        _, artifact, version = self.coordinates.split(":")
        return f"{artifact}-{version}.jar"


def read_lock(text: str) -> list[Jar]:
    """Parse a lock file; raise ``DownloadFailed``, naming the first malformed line."""
    jars = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            jars.append(_parse_line(number, line))
    return jars


def _parse_line(number: int, line: str) -> Jar:
    words = line.split()
    well_formed = (
        len(words) == 3
        and words[0].count(":") == 2
        and words[1].startswith("sha256:")
        and len(words[1]) == 71
        and words[2].isdigit()
    )
    if not well_formed:
        raise DownloadFailed(f"line {number} of {LOCK.name} is not 'group:artifact:version sha256:<hex> <bytes>'")
    return Jar(words[0], words[1].removeprefix("sha256:"), int(words[2]))


def download(jars: list[Jar], directory: Path, progress: Progress, source: Source | None = None) -> list[Path]:
    """Return the paths of these jars, downloaded where they are missing or damaged."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        remove_abandoned_parts(directory)
    except OSError as error:
        raise PrerequisiteMissing(
            f"cannot write to the cache {directory} ({error.strerror}): set SHOP_CACHE"
        ) from error
    with ThreadPoolExecutor(max_workers=8) as pool:
        intact = list(pool.map(lambda jar: _is_intact(directory / jar.file_name, jar), jars))
        missing = [jar for jar, is_intact in zip(jars, intact, strict=True) if not is_intact]
        if missing:
            total = sum(jar.size for jar in missing)
            progress.report(f"downloading {len(missing)} jars, {total / 2**20:.0f} MiB")
            counter = _ByteCounter(total, progress)
            fetch = source or _maven()
            for future in [pool.submit(_download_one, jar, directory, fetch, counter) for jar in missing]:
                _cancel_rest_on_failure(future.result, pool)
    return [directory / jar.file_name for jar in jars]


def remove_abandoned_parts(directory: Path) -> None:
    """Remove the partial files of killed runs; a file that is still being written is younger than a day."""
    for part in directory.glob("*.part"):
        with suppress(FileNotFoundError):  # another run has just finished it
            if part.stat().st_mtime < time.time() - 86400:
                part.unlink()


def _cancel_rest_on_failure(result: Callable[[], None], pool: ThreadPoolExecutor) -> None:
    try:
        result()
    except DownloadFailed:
        pool.shutdown(wait=False, cancel_futures=True)
        raise


class _ByteCounter:
    """Counts the bytes that have arrived so far, in all threads."""

    def __init__(self, total: int, progress: Progress) -> None:
        self._total, self._progress = total, progress
        self._done = 0
        self._lock = threading.Lock()

    def add(self, size: int) -> None:
        with self._lock:
            self._done += size
            self._progress.downloaded(self._done, self._total)


def _is_intact(path: Path, jar: Jar) -> bool:
    if not path.is_file() or path.stat().st_size != jar.size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == jar.sha256


def _download_one(jar: Jar, directory: Path, source: Source, counter: _ByteCounter) -> None:
    for left in reversed(range(ATTEMPTS)):
        try:
            _attempt(jar, directory, source, counter)
        except DownloadFailed:
            if not left:
                raise
        else:
            return


def _attempt(jar: Jar, directory: Path, source: Source, counter: _ByteCounter) -> None:
    part = directory / f".{jar.file_name}.{secrets.token_hex(4)}.part"
    digest, arrived = hashlib.sha256(), 0
    try:
        with part.open("xb") as file:
            for chunk in source(jar.coordinates):
                file.write(chunk)
                digest.update(chunk)
                arrived += len(chunk)
                counter.add(len(chunk))
            file.flush()
            os.fsync(file.fileno())
        if digest.hexdigest() != jar.sha256:
            raise DownloadFailed(
                f"{jar.coordinates} as downloaded has SHA-256 {digest.hexdigest()}, not the locked {jar.sha256}:"
                f" it is discarded; ask your network's administrator what alters downloads"
            )
        part.replace(directory / jar.file_name)
    except DownloadFailed:
        counter.add(-arrived)
        raise
    finally:
        part.unlink(missing_ok=True)


def _maven() -> Source:
    # Imported here: they cost 0.2 s, and only the first run downloads anything.
    from maven_artifact import Artifact, Downloader, RequestException
    from requests.exceptions import RequestException as TransferFailed

    downloader = Downloader(base=os.environ["MAVEN_URL"]) if os.environ.get("MAVEN_URL") else Downloader()

    def fail(url: str, error: Exception) -> None:
        reason = first_line(_root_cause(error))
        raise DownloadFailed(
            f"cannot download {url} ({reason}): connect to the internet (MAVEN_URL names a mirror of"
            " Maven Central), or set KAFKA_BOOTSTRAP_SERVERS to a running Kafka"
        )

    def fetch(coordinates: str) -> Iterable[bytes]:
        url = downloader.resolver.uri_for_artifact(Artifact.parse(coordinates))
        try:
            with downloader.requestor.request(url, fail, stream=True, timeout=TIMEOUT) as response:
                yield from response.iter_content(chunk_size=CHUNK)
        except (TransferFailed, RequestException) as error:
            fail(url, error)

    return fetch


def _root_cause(error: Exception) -> Exception:
    """Return the error that requests has wrapped: "connection refused", say, and not "max retries exceeded"."""
    inner = getattr(error, "reason", None) or (error.args[0] if error.args else None)
    return _root_cause(inner) if isinstance(inner, Exception) else error


def make_lock(repository: Path) -> str:
    """Write the lock file of a directory in Maven's repository layout."""
    lines = ["# The runtime of Apache Kafka and its logging: kafka-pom.xml says how this file is made."]
    for path in sorted(repository.rglob("*.jar")):
        *group, artifact, version, _ = path.relative_to(repository).parts
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        lines.append(f"{'.'.join(group)}:{artifact}:{version} sha256:{digest} {len(content)}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(make_lock(Path(sys.argv[1])))
