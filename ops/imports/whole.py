"""Files that appear when they are complete."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def appearing(path: Path) -> Iterator[Path]:
    """Where to write a file, which appears at the end; if the block raises, one that was there before stays.

    A device, a pipe, and what a symbolic link (``/dev/stdout``) leads to are written directly.
    """
    if path.is_symlink() or (path.exists() and not path.is_file()):
        yield path
        return
    unfinished = path.with_name(f"{path.name}.part")
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
