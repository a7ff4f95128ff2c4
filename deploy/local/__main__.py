"""``python -m deploy.local``: first sees whether this Python can run it at all."""

import platform
import signal
import sys

OLDEST = (3, 11)


def main() -> None:
    """Check what cannot be explained later, then hand over to the command line."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until run.py listens: no traceback from a Ctrl-C while importing
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
