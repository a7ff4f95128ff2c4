"""Fetch the jars that a lock file names from Maven Central, and accept nothing but those very bytes.

A lock line is ``group:artifact:version sha256:<hex> <bytes>``. The files go to a cache that every run on
this machine shares: each is written aside and renamed when its digest is right, so two runs may fetch at
once and a torn download is never seen.
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

from deploy.local.errors import FetchFailed, Prerequisite, first_line
from deploy.local.progress import Progress

LOCK = Path(__file__).with_name("kafka-jars.lock")
TRIES = 3
CHUNK = 64 * 1024
TIMEOUT = (10, 30)
"""Seconds to connect and to wait for the next bytes."""

Stream = Callable[[str], Iterable[bytes]]
"""The bytes of an artifact; raises ``FetchFailed``."""


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
    """Parse a lock file; raise ``FetchFailed`` naming the first line that is not one."""
    jars = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            jars.append(_lock_line(number, line))
    return jars


def _lock_line(number: int, line: str) -> Jar:
    words = line.split()
    good = (
        len(words) == 3
        and words[0].count(":") == 2
        and words[1].startswith("sha256:")
        and len(words[1]) == 71
        and words[2].isdigit()
    )
    if not good:
        raise FetchFailed(f"line {number} of {LOCK.name} is not 'group:artifact:version sha256:<hex> <bytes>'")
    return Jar(words[0], words[1].removeprefix("sha256:"), int(words[2]))


def fetch(jars: list[Jar], directory: Path, progress: Progress, stream: Stream | None = None) -> list[Path]:
    """Return the paths of these jars, fetched where they are missing or damaged."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        sweep(directory)
    except OSError as error:
        raise Prerequisite(f"cannot write to the cache {directory} ({error.strerror}): set SHOP_CACHE") from error
    with ThreadPoolExecutor(max_workers=8) as pool:
        present = list(pool.map(lambda jar: _is_good(directory / jar.file_name, jar), jars))
        missing = [jar for jar, there in zip(jars, present, strict=True) if not there]
        if missing:
            total = sum(jar.size for jar in missing)
            progress.say(f"fetching {len(missing)} jars, {total / 2**20:.0f} MiB")
            count = _Count(total, progress)
            source = stream or _from_maven()
            for done in [pool.submit(_fetch_one, jar, directory, source, count) for jar in missing]:
                _first_failure(done.result, pool)
    return [directory / jar.file_name for jar in jars]


def sweep(directory: Path) -> None:
    """Remove the parts that killed runs have left; a file that is still being written is younger than a day."""
    for part in directory.glob("*.part"):
        with suppress(FileNotFoundError):  # another run has just finished it
            if part.stat().st_mtime < time.time() - 86400:
                part.unlink()


def _first_failure(result: Callable[[], None], pool: ThreadPoolExecutor) -> None:
    try:
        result()
    except FetchFailed:
        pool.shutdown(wait=False, cancel_futures=True)
        raise


class _Count:
    """Bytes arrived so far, over all threads."""

    def __init__(self, total: int, progress: Progress) -> None:
        self._total, self._progress = total, progress
        self._done = 0
        self._lock = threading.Lock()

    def add(self, size: int) -> None:
        with self._lock:
            self._done += size
            self._progress.fetched(self._done, self._total)


def _is_good(path: Path, jar: Jar) -> bool:
    if not path.is_file() or path.stat().st_size != jar.size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == jar.sha256


def _fetch_one(jar: Jar, directory: Path, stream: Stream, count: _Count) -> None:
    for left in reversed(range(TRIES)):
        try:
            _download(jar, directory, stream, count)
        except FetchFailed:
            if not left:
                raise
        else:
            return


def _download(jar: Jar, directory: Path, stream: Stream, count: _Count) -> None:
    part = directory / f".{jar.file_name}.{secrets.token_hex(4)}.part"
    digest, arrived = hashlib.sha256(), 0
    try:
        with part.open("xb") as file:
            for chunk in stream(jar.coordinates):
                file.write(chunk)
                digest.update(chunk)
                arrived += len(chunk)
                count.add(len(chunk))
            file.flush()
            os.fsync(file.fileno())
        if digest.hexdigest() != jar.sha256:
            raise FetchFailed(
                f"{jar.coordinates} as fetched has SHA-256 {digest.hexdigest()}, not the locked {jar.sha256}:"
                f" do not use it; ask your network's administrator what changes downloads"
            )
        part.replace(directory / jar.file_name)
    except FetchFailed:
        count.add(-arrived)
        raise
    finally:
        part.unlink(missing_ok=True)


def _from_maven() -> Stream:
    # Imported here: they cost 0.2 s, and all but the first run need nothing fetched.
    from maven_artifact import Artifact, Downloader, RequestException
    from requests.exceptions import RequestException as Interrupted

    downloader = Downloader(base=os.environ["MAVEN_URL"]) if os.environ.get("MAVEN_URL") else Downloader()

    def refuse(url: str, error: Exception) -> None:
        reason = first_line(_innermost(error))
        raise FetchFailed(
            f"cannot fetch {url} ({reason}): connect to the internet (MAVEN_URL names a mirror of"
            " Maven Central), or set KAFKA_BOOTSTRAP_SERVERS to a Kafka that runs"
        )

    def stream(coordinates: str) -> Iterable[bytes]:
        url = downloader.resolver.uri_for_artifact(Artifact.parse(coordinates))
        try:
            with downloader.requestor.request(url, refuse, stream=True, timeout=TIMEOUT) as response:
                yield from response.iter_content(chunk_size=CHUNK)
        except (Interrupted, RequestException) as error:
            refuse(url, error)

    return stream


def _innermost(error: Exception) -> Exception:
    """Return what requests has wrapped: it says "connection refused", not which pool had how many tries."""
    inner = getattr(error, "reason", None) or (error.args[0] if error.args else None)
    return _innermost(inner) if isinstance(inner, Exception) else error


def lock_of(repository: Path) -> str:
    """Write the lock file of a directory in Maven's repository layout."""
    lines = ["# The runtime of Apache Kafka and its logging: see kafka-pom.xml for how this is made."]
    for path in sorted(repository.rglob("*.jar")):
        *group, artifact, version, _ = path.relative_to(repository).parts
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        lines.append(f"{'.'.join(group)}:{artifact}:{version} sha256:{digest} {len(content)}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(lock_of(Path(sys.argv[1])))
