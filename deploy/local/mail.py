"""The mail sink as one of the local servers and, run as a program, the sink itself.

``python -m deploy.local.mail --smtp-port 2525 --http-port 8025 --home DIR`` stores its messages in ``DIR/mail``.
"""

import argparse
import asyncio
import signal
import smtplib
import sys
from pathlib import Path
from urllib.parse import urlsplit

import uvloop

from deploy.local.errors import first_line
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.probes import http_problem
from deploy.local.processes import Command, Processes
from deploy.local.progress import Progress
from deploy.local.server import LocalServer


class Mail(LocalServer):
    """A mail sink. ``url`` is for senders, ``page_url`` shows the received mail."""

    def __init__(
        self,
        home: Path,
        smtp_port: int = 0,
        http_port: int = 0,
        *,
        processes: Processes | None = None,
        progress: Progress | None = None,
    ) -> None:
        super().__init__("mail", home, processes, progress)
        self._smtp_port = smtp_port or free_port()
        self._http_port = http_port or free_port()
        self.url = f"smtp://{LOOPBACK}:{self._smtp_port}"
        self.page_url = f"http://{LOOPBACK}:{self._http_port}"

    def prepare(self) -> None:
        """Do nothing: there is nothing to prepare."""

    def start(self) -> None:
        """Start the sink."""
        ports = [f"--smtp-port={self._smtp_port}", f"--http-port={self._http_port}"]
        self.launch(
            Command(
                self.name,
                [sys.executable, "-m", "deploy.local.mail", *ports, f"--home={self.home}"],
                orphan_signal=signal.SIGTERM,
            )
        )

    def ready(self, seconds: float = 60) -> None:
        """Wait until it accepts mail and serves its page."""
        self.wait_until_ok(lambda: smtp_problem(self.url) or http_problem(f"{self.page_url}/health/ready"), seconds)


def smtp_problem(url: str) -> str:
    """Return why this SMTP server cannot be used; empty if it greets and accepts a NOOP."""
    parts = urlsplit(url)
    client = smtplib.SMTP_SSL if parts.scheme == "smtps" else smtplib.SMTP
    try:
        with client(parts.hostname or "", parts.port or 25, timeout=5) as smtp:
            smtp.noop()
    except (smtplib.SMTPException, OSError, ValueError) as error:
        return first_line(error)
    return ""


def main() -> None:
    """Run the sink until it is stopped."""
    parser = argparse.ArgumentParser(description="Store and show all mail that is sent here.")
    parser.add_argument("--smtp-port", type=int, default=2525)
    parser.add_argument("--http-port", type=int, default=8025)
    parser.add_argument("--home", type=Path, required=True, help="the directory below which messages are stored")
    options = parser.parse_args()
    uvloop.run(_serve(options.home / "mail", options.smtp_port, options.http_port))


async def _serve(directory: Path, smtp_port: int, http_port: int) -> None:
    # Imported here, so that the runner, which only starts a sink, does not pay for its imports.
    import uvicorn

    from deploy.local.sink.page import make_app
    from deploy.local.sink.smtp import SmtpSession
    from deploy.local.sink.store import Store

    store = Store(directory)
    loop = asyncio.get_running_loop()
    smtp = await loop.create_server(lambda: SmtpSession(store), LOOPBACK, smtp_port)
    config = uvicorn.Config(
        make_app(store), LOOPBACK, http_port, access_log=False, log_level="warning", lifespan="off"
    )
    async with smtp:
        await uvicorn.Server(config).serve()


if __name__ == "__main__":
    main()
