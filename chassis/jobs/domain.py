"""A job, its states, and the actions of ops.

    planning → planned → running ⇄ paused
    any of them → cancelled | failed, running → done

The state is in the row, so that a pause outlives a restart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

Kind = Literal["replay", "redrive", "rebuild"]
State = Literal["planning", "planned", "running", "paused", "done", "cancelled", "failed"]

ACTIVE: Sequence[State] = ("planning", "running")
"""The states in which the event process works on a job."""
FINAL: Sequence[State] = ("done", "cancelled", "failed")
NEXT: Mapping[State, Sequence[State]] = {
    "planning": ("cancelled",),
    "planned": ("running", "cancelled"),
    "running": ("paused", "cancelled"),
    "paused": ("running", "cancelled"),
}
"""What ops may change a state to."""
MAX_STARTS = 3
"""A job at which the event process died so often, each time before it got any further, is failed."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job. ``request`` is what ops requested and does not change; ``progress`` is how far it has come."""

    id: UUID
    kind: Kind
    state: State
    request: Mapping[str, Any]
    progress: Mapping[str, Any]
    who: UUID
    why: str
    error: str | None = None
    starts: int = 0
    """How often the event process has begun to work on it since it last got any further."""
    created_at: datetime | None = None
    updated_at: datetime | None = None

    def allows(self, state: State) -> bool:
        """Whether ops may change the state to this one."""
        return state in NEXT.get(self.state, ())

    @property
    def step(self) -> int:
        """How many times it has come further."""
        return int(self.progress.get("step", 0))

    def proceed(self, **progress: Any) -> "Job":
        """It has come further."""
        return replace(self, progress={**self.progress, **progress, "step": self.step + 1}, starts=0)

    def end(self, state: State, error: str | None = None) -> "Job":
        """The event process leaves it in this state."""
        return replace(self, state=state, error=error, starts=0)


@dataclass(frozen=True, slots=True)
class Action:
    """Something that ops did. ``id`` is derived from the idempotency key, so that it is done once."""

    id: UUID
    who: UUID
    action: str
    """Like ``letter.edit``."""
    subject: str
    """The id of the job, the letter's event, or the order."""
    why: str
    fingerprint: str
    """Of the request's body."""
    at: datetime | None = None
    position: Any = None


class JobInterrupted(Exception):
    """The job was paused or cancelled, or another process works on it: the transaction must not commit."""


class JobFailed(Exception):
    """The job cannot be done; the message is for ops."""
