"""Lets a person edit a text in their editor."""

import os
import shlex
import subprocess
import tempfile
from pathlib import Path

from ops.errors import CannotDo


def edited(text: str, suffix: str = ".json") -> str:
    """The text after the person has edited it; raise ``CannotDo`` if there is no editor, or nothing was changed."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not editor:
        raise CannotDo("there is no editor: set EDITOR, or give the new value with --file")
    # Only its owner can read the directory; it is removed with the file, which may hold personal data.
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / f"value{suffix}"
        path.write_text(text, encoding="utf-8")
        try:
            status = subprocess.run([*shlex.split(editor), str(path)], check=False).returncode
        except (OSError, ValueError) as error:
            raise CannotDo(f"the editor {editor!r} cannot be started: {error}") from error
        if status:
            raise CannotDo(f"the editor ended with status {status}: nothing was changed")
        try:
            after = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CannotDo(f"what the editor has left cannot be read: {error}") from error
    if after.strip() == text.strip():
        raise CannotDo("the value was not changed in the editor")
    return after
