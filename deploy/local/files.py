"""Files that must never be seen half written."""

import os
import secrets
from pathlib import Path


def write_atomically(path: Path, text: str, mode: int = 0o600) -> None:
    """Replace a file at once: a reader sees the old text or the new one, even after a crash."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.part")
    try:
        with os.fdopen(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_EXCL, mode), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def get_or_create_secret(path: Path) -> str:
    """Return the secret in this file, generated at the first call. Only the owner can read it."""
    if not path.exists():
        write_atomically(path, secrets.token_urlsafe(24))
    return path.read_text(encoding="utf-8").strip()


def last_lines(path: Path, since: int = 0, count: int = 15) -> str:
    """Return the last lines of a log, out of what was written after byte ``since``."""
    try:
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(since, end - 64 * 1024))
            text = file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-count:])
