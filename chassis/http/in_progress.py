"""How many requests a REST process works on at once: more would only wait, and cost memory and everybody's time."""

import sys
from dataclasses import dataclass

from starlette.types import Message, Receive


@dataclass
class InProgress:
    """The requests that have arrived completely, and whose response has not begun.

    One whose body is still on its way does not count, else a few slow clients could keep all others out; nor does a
    response that is being sent, which may be a stream of minutes.
    """

    limit: int = sys.maxsize
    """Set when the process serves: it is one of its settings."""
    number: int = 0

    @property
    def full(self) -> bool:
        """Whether there are as many as there may be."""
        return self.number >= self.limit


class Turn:
    """The time of one request among those in progress."""

    __slots__ = ("_counted", "_in_progress")

    def __init__(self, in_progress: InProgress) -> None:
        self._in_progress = in_progress
        self._counted: bool | None = None

    def begin(self) -> None:
        """It has arrived, unless it has ended already."""
        if self._counted is None:
            self._counted = True
            self._in_progress.number += 1

    def end(self) -> None:
        """Its response has begun, or there will be none."""
        if self._counted:
            self._in_progress.number -= 1
        self._counted = False

    def after_body(self, receive: Receive) -> Receive:
        """``receive`` that begins the turn with the last part of the body."""

        async def receive_part() -> Message:
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body", False):
                self.begin()
            return message

        return receive_part
