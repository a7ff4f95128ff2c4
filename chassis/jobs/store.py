"""What jobs ask of a database."""

from collections.abc import Sequence
from typing import Protocol, TypeVar
from uuid import UUID

from chassis.jobs.domain import Action, Job, Kind

Tx_contra = TypeVar("Tx_contra", contravariant=True)

LEASE_SECONDS = 10
"""How long a job waits for a process that was killed; by the clock of the database."""


class Jobs(Protocol[Tx_contra]):
    """The jobs of a service, and the actions of ops."""

    async def add(self, tx: Tx_contra, job: Job) -> None:
        """Store a new job."""
        ...

    async def lock(self, tx: Tx_contra, job_id: UUID) -> Job | None:
        """A job, locked."""
        ...

    async def change(self, tx: Tx_contra, job: Job) -> None:
        """Store the state, progress and error of a job that is locked."""
        ...

    async def claim(self, owner: UUID) -> Job | None:
        """The oldest active job, if no process works on any; it is this owner's for ``LEASE_SECONDS``."""
        ...

    async def release(self, owner: UUID) -> None:
        """Give up what this owner has claimed; a claim that is given up was no start that the process died of."""
        ...

    async def save(self, tx: Tx_contra, owner: UUID, job: Job) -> None:
        """Store the state, progress and error of this owner's job, and extend the lease.

        Raise ``JobInterrupted`` if it is not active any more, or another process has it.
        """
        ...

    async def get(self, job_id: UUID) -> Job | None:
        """A job."""
        ...

    async def list(self, kind: Kind, before: UUID | None, limit: int) -> Sequence[Job]:
        """The newest jobs of a kind."""
        ...

    async def running(self) -> UUID | None:
        """A job that is being worked on."""
        ...

    async def record(self, tx: Tx_contra, action: Action) -> None:
        """Store an action."""
        ...

    async def action(self, tx: Tx_contra, action_id: UUID) -> Action | None:
        """The action with this id, if it was done."""
        ...

    async def actions(self, before: int | None, limit: int) -> Sequence[Action]:
        """The newest actions."""
        ...
