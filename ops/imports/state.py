"""What is kept of an import that is under way: so the same command continues it, after a kill as well."""

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from ops.errors import CannotDo


@dataclass(frozen=True, slots=True)
class Started:
    """An import that was started on the server, and the digest of what is sent."""

    import_id: str
    digest: str


class StateFile:
    """One file for each file that is imported into a shop, in ``XDG_STATE_HOME``."""

    def __init__(self, path: Path, product_url: str, *, dry_run: bool) -> None:
        home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
        key = json.dumps([str(path.absolute()), product_url, dry_run])
        self._path = home / "shopstream" / "imports" / f"{sha256(key.encode()).hexdigest()[:32]}.json"

    def read(self, digest: str) -> str | None:
        """The id of the import that was started with this content."""
        try:
            started = Started(**json.loads(self._path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return started.import_id if started.digest == digest else None

    def write(self, started: Started) -> None:
        """Note that an import has started; raise ``CannotDo`` if that is impossible."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(json.dumps(asdict(started)), encoding="utf-8")
        except OSError as error:
            raise CannotDo(f"{self._path} cannot be written: set XDG_STATE_HOME ({error.strerror})") from error

    def remove(self) -> None:
        """Note that it is done."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
