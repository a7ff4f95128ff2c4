"""The wish to stop, however it comes: Ctrl-C, SIGTERM, SIGHUP, or the loss of the ``make`` above us.

Signals only take a note here. The main thread looks at it whenever it waits, so a signal can never tear
the run apart in the middle of a step.
"""

import os
import signal
import threading
from types import FrameType

from deploy.local.pids import PROC

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):
    """The run was asked to stop."""


class Stop:
    """Remembers the first signal, and whether a later Ctrl-C asked to hurry."""

    def __init__(self) -> None:
        self.signal = 0
        self.hurried = False
        self.expected = False
        """Set when everything is up: from then on, being told to stop is the good end."""
        self._event = threading.Event()
        self._make = os.getppid() if os.environ.get("MAKELEVEL") else 0

    def listen(self) -> None:
        """Take the signals over. One that is ignored (nohup) stays ignored."""
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._note)

    @property
    def status(self) -> int:
        """The exit status after a stop: 0 for the good end, else as the shell counts signals.

        A Ctrl-C that reached us reached the ``make`` above us too, which ends by it whatever we say: leave
        it nothing to complain about.
        """
        told = self.expected or (self._make and self.signal == signal.SIGINT)
        return 0 if told else 128 + self.signal

    def wait(self, seconds: float) -> None:
        """Sleep; raise ``Stopped`` as soon as a stop is asked for."""
        if self._event.wait(seconds) or self._make_has_gone():
            raise Stopped

    def _note(self, number: int, _frame: FrameType | None) -> None:
        # A SIGTERM to the process group comes twice, make hands its own one on: no reason to hurry.
        self.hurried = self.hurried or bool(self.signal and number == signal.SIGINT)
        self.signal = self.signal or number
        self._event.set()

    def _make_has_gone(self) -> bool:
        """Whether the ``make`` that runs us was killed, or got a SIGHUP that it keeps to itself.

        GNU make hands SIGTERM on to its children, but expects SIGHUP to have reached them from the
        terminal; until they end it waits, with the signal's handler already reset.
        """
        if not self._make:
            return False
        if os.getppid() != self._make or _has_reset(self._make, signal.SIGHUP):
            self.signal = signal.SIGHUP
        return bool(self.signal)


def _has_reset(pid: int, number: int) -> bool:
    """Whether a process holds a signal back (blocked) that it no longer handles."""
    try:
        lines = (PROC / str(pid) / "status").read_text().splitlines()
    except OSError:
        return False
    fields = dict(line.split(":", 1) for line in lines)
    blocked, caught = int(fields["SigBlk"], 16), int(fields["SigCgt"], 16)
    bit = 1 << (number - 1)
    return bool(blocked & bit) and not caught & bit
