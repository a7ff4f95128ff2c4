"""``python -m deploy.local``: checks that this Python can run it at all, then runs the command line."""

import platform
import signal
import sys

OLDEST = (3, 11)


def main() -> None:
    """Explain what would otherwise end in a traceback, then hand over to the command line."""
    # Until run.py installs its handlers: no traceback from a Ctrl-C during the imports.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.version_info < OLDEST:
        sys.exit(
            f"✗ this is Python {platform.python_version()}, Shopstream needs 3.11 or newer: use 'make run PYTHON=…'"
        )
    if sys.platform != "linux":
        sys.exit(f"✗ the local servers run on Linux only, this is {platform.system()}: use Docker, see compose.yaml")
    try:
        from deploy.local.cli import app
    except ModuleNotFoundError as error:
        sys.exit(f"✗ {error.name} is not installed for {sys.executable}: use 'make run', or .venv/bin/python")
    app()


if __name__ == "__main__":
    main()
