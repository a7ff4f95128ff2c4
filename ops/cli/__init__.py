"""The command line for operators, one module for each command or group of commands.

A command is a coroutine function in ``on_platform`` (``command.py``) that takes a ``Connection`` and its options; the
options that several commands have are in ``options.py``.
"""

import sys
import traceback

from ops.cli import actions, audit, dlq, find, lag, products, rebuild, replay, sagas, trace
from ops.cli.command import FAILED, OneLineErrors, new_group

app = new_group("Operate a running shop.", cls=OneLineErrors, add_completion=True)
for module in (audit, lag, find, trace, actions, products):
    module.register(app)
app.add_typer(sagas.app, name="sagas")
app.add_typer(replay.app, name="replay")
app.add_typer(dlq.app, name="dlq")
app.add_typer(rebuild.app, name="rebuild")


def main() -> None:
    """Run the command line; a bug in it must not exit with the status for findings."""
    try:
        app(prog_name="shop")
    except Exception:  # noqa: BLE001 - the edge of the program
        traceback.print_exc()
        sys.exit(FAILED)


__all__ = ["app", "main"]
