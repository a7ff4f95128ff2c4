"""The command line for operators, one module for each command or group of commands."""

import sys
import traceback

from ops.cli import audit
from ops.cli.command import FAILED, OneLineErrors, new_group

app = new_group("Operate a running shop.", cls=OneLineErrors, add_completion=True)
audit.register(app)


def main() -> None:
    """Run the command line; a bug in it must not exit with the status for findings."""
    try:
        app(prog_name="shop")
    except Exception:  # noqa: BLE001 - the edge of the program
        traceback.print_exc()
        sys.exit(FAILED)


__all__ = ["app", "main"]
