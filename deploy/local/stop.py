"""The request to stop the run: Ctrl-C, SIGTERM, SIGHUP, or the end of the ``make`` that started it.

The signal handlers only set a flag. The main thread checks it whenever it waits, so a signal cannot interrupt a step
half way.
"""

import os
import signal
import threading
from types import FrameType

from deploy.local.pid_files import PROC

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequested(Exception):
    """The run is to stop."""


class StopRequest:
    """Remembers the first signal, and whether a later Ctrl-C demands haste."""

    def __init__(self) -> None:
        self.signal = 0
        self.hurried = False
        self.expected = False
        """Set when everything is up: from then on, a request to stop is the normal end."""
        self._event = threading.Event()
        self._make = os.getppid() if os.environ.get("MAKELEVEL") else 0

    def install_handlers(self) -> None:
        """Handle the signals. One that is ignored (nohup) stays ignored."""
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._handle)

    @property
    def status(self) -> int:
        """The exit status after a stop: 0 for the normal end, else 128 + signal, as in a shell.

        A Ctrl-C that reached us also reached the ``make`` above us, which ends with an error of its own; ours would
        only add to the noise.
        """
        normal = self.expected or (self._make and self.signal == signal.SIGINT)
        return 0 if normal else 128 + self.signal

    def wait(self, seconds: float) -> None:
        """Sleep; raise ``StopRequested`` as soon as a stop is requested."""
        if self._event.wait(seconds) or self._make_has_ended():
            raise StopRequested

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        # A SIGTERM to the process group arrives twice, since make forwards its own: no reason to hurry.
        self.hurried = self.hurried or bool(self.signal and number == signal.SIGINT)
        self.signal = self.signal or number
        self._event.set()

    def _make_has_ended(self) -> bool:
        """Whether the ``make`` that runs us was killed, or got a SIGHUP that it does not forward.

        GNU make forwards SIGTERM to its children, but expects that the terminal has sent SIGHUP to them as well. It
        then waits for their end, with its handler for the signal already reset.
        """
        if not self._make:
            return False
        if os.getppid() != self._make or _has_reset(self._make, signal.SIGHUP):
            self.signal = signal.SIGHUP
        return bool(self.signal)


def _has_reset(pid: int, number: int) -> bool:
    """Whether a process blocks a signal that it no longer handles."""
    try:
        lines = (PROC / str(pid) / "status").read_text().splitlines()
    except OSError:
        return False
    fields = dict(line.split(":", 1) for line in lines)
    blocked, caught = int(fields["SigBlk"], 16), int(fields["SigCgt"], 16)
    bit = 1 << (number - 1)
    return bool(blocked & bit) and not caught & bit
