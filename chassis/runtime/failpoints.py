"""Fail points: named places where a process can be made to fail, so that tests kill it at the worst moments.

Disarmed, a point costs one read of a module's boolean. ``FAILPOINTS="relay.send.after=die@5,mail.dot.after=hang"``
arms a process at its start; ``@5`` is the fifth time that the point is reached, ``@1`` if not given.
"""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

log = structlog.get_logger()

POINTS: Mapping[str, str] = {
    "consumer.commit.before": "a batch of events is saved, and not committed",
    "consumer.commit.after": "a batch of events is committed, and not acknowledged",
    "groupcommit.commit.before": "a group of requests is saved, and not committed",
    "groupcommit.commit.after": "a group of requests is committed, and the clients have no response",
    "relay.send.before": "rows of the outbox are read, and not sent",
    "relay.send.after": "rows of the outbox are confirmed by the broker, and not marked",
    "relay.marked": "rows of the outbox are marked as published",
    "stream.ack.before": "a batch of messages is handled, and none of them acknowledged",
    "stream.ack.after": "a batch of messages is acknowledged, and the offset perhaps not yet at the broker",
    "redrive.commit.before": "letters of a stream are handled, and not committed",
    "redrive.commit.after": "letters of a stream are brought, and the job does not know it yet",
    "replay.planned.before": "a plan has read everything, and is not stored",
    "replay.commit.before": "events of a replay are handled and accounted for, and not committed",
    "replay.commit.after": "events of a replay are committed",
    "replay.done.before": "a replay has brought everything, and is not marked as done",
    "repeat.commit.before": "events were handled again, and it is not committed",
    "repeat.commit.after": "events were handled again",
    "mail.claimed": "mails are claimed, and not begun",
    "mail.dot.before": "the ledger says that a mail is being handed over, and nothing of it has left",
    "mail.dot.after": "the mail server has taken a mail over, and the ledger does not know",
    "mail.marked": "the ledger says that a mail was sent",
    "rebuild.commit.before": "a batch of a rebuild is saved in the shadow, and not committed",
    "rebuild.commit.after": "a batch of a rebuild is committed in the shadow",
    "rebuild.compared.before": "a replica is rebuilt, and not compared",
    "swap.commit.before": "the rebuilt rows are in the live table, and not committed",
    "swap.commit.after": "the rebuilt rows are committed in the live table",
    "undo.commit.before": "the rows before a swap are in the live table again, and not committed",
    "undo.commit.after": "the rows before a swap are committed in the live table",
}
"""Every point, and what has happened when a process reaches it."""

ACTIONS: Mapping[str, str] = {
    "die": "SIGKILL: the process ends at once",
    "term": "SIGTERM: the process goes on, and ends in order",
    "hang": "the task that reached the point waits for ever, the rest of the process goes on",
    "raise": "an unexpected error",
}
"""Everything that can happen at a point."""

armed = False
"""Whether this process has any: ``if failpoints.armed: await failpoints.reach("…")``."""

_armed: Sequence["FailPoint"] = ()
_reached: Counter[str] = Counter()


class Injected(Exception):
    """Raised at a fail point whose action is ``raise``."""


@dataclass(frozen=True, slots=True)
class FailPoint:
    """The action when a point is reached for the ``nth`` time."""

    point: str
    action: str
    nth: int


def parse(text: str) -> list[FailPoint]:
    """Read ``point=action@nth,…``; raise ``ValueError`` naming what is unknown."""
    return [_parsed(one.strip()) for one in text.split(",") if one.strip()]


def arm(text: str) -> None:
    """Arm these fail points, in place of any others."""
    global _armed, armed
    _armed = parse(text)
    armed = bool(_armed)
    _reached.clear()
    if armed:
        log.warning("fail points are armed: this process will fail on purpose", failpoints=text)


async def reach(point: str) -> None:
    """Perform the action of this point, if it is armed for this time."""
    _reached[point] += 1
    for fault in _armed:
        if fault.point == point and fault.nth == _reached[point]:
            log.warning("fail point reached", point=point, action=fault.action)
            await _act(fault)


async def _act(fault: FailPoint) -> None:
    match fault.action:
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "term":
            os.kill(os.getpid(), signal.SIGTERM)
        case "hang":
            await asyncio.Event().wait()
        case "raise":
            raise Injected(f"at {fault.point}")


def _parsed(text: str) -> FailPoint:
    point, _, what = text.partition("=")
    action, at, nth = what.partition("@")
    if point not in POINTS:
        raise ValueError(f"there is no fail point {point!r}, only {', '.join(POINTS)}")
    if action not in ACTIONS:
        raise ValueError(f"nothing called {action!r} can happen at {point}, only {', '.join(ACTIONS)}")
    if at and not (nth.isascii() and nth.isdigit() and int(nth) > 0):
        raise ValueError(f"{nth!r} is not how often {point} is reached: a number from 1")
    return FailPoint(point, action, int(nth) if at else 1)
