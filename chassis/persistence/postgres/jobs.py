"""The jobs and actions of ops in PostgreSQL."""

from collections.abc import Sequence
from uuid import UUID

import orjson
import sqlalchemy as sa

from chassis.jobs.domain import Action, Job, JobInterrupted, Kind
from chassis.jobs.store import LEASE_SECONDS
from chassis.persistence.postgres.connection import Reading
from chassis.persistence.postgres.pipelined_transaction import PipelinedTransaction
from chassis.persistence.postgres.rows import Load, Row, columns, insert_rows, select_rows, write_rows
from chassis.persistence.postgres.tables import actions, jobs
from chassis.persistence.unit_of_work import IdentityMap

_INSERT = insert_rows(jobs, "id", "kind", "state", "request", "progress", "starts", "who", "why")
# Columns by name: a prepared ``SELECT *`` fails when a migration adds one.
_LOCK = f"SELECT {', '.join(Job.__slots__)} FROM jobs WHERE id = CAST($1 AS uuid) FOR UPDATE"
_CHANGED = (
    "state = new.state, progress = new.progress, error = new.error, starts = new.starts, updated_at = now()"
    " FROM json_to_record(CAST($1 AS json)) AS new(id uuid, state text, progress jsonb, error text, starts integer)"
    " WHERE jobs.id = new.id"
)
_CHANGE = f"UPDATE jobs SET {_CHANGED}"
_LEASE = f"lease_until = now() + interval '{LEASE_SECONDS} s'"
_SAVE = (
    f"UPDATE jobs SET {_LEASE}, {_CHANGED} AND jobs.owner = CAST($2 AS uuid)"
    " AND jobs.state IN ('planning', 'running') RETURNING jobs.id"
)
# Two processes may look at the same time: the row lock makes one of them wait, and then it finds the job leased.
_CLAIM = sa.text(
    f"UPDATE jobs SET owner = :owner, {_LEASE}, starts = starts + CASE WHEN owner = :owner THEN 0 ELSE 1 END"
    " WHERE id = ("
    "  SELECT id FROM jobs WHERE state IN ('planning', 'running') AND NOT EXISTS ("
    "    SELECT 1 FROM jobs leased WHERE leased.state IN ('planning', 'running')"
    "      AND leased.owner <> :owner AND leased.lease_until > now())"
    "  ORDER BY created_at LIMIT 1)"
    " AND (owner IS NULL OR owner = :owner OR lease_until <= now()) AND state IN ('planning', 'running') RETURNING *"
)
_RELEASE = sa.text(
    "UPDATE jobs SET owner = NULL, lease_until = NULL, starts = greatest(starts - 1, 0) WHERE owner = :owner"
)
_ACTION_COLUMNS = ("id", "who", "action", "subject", "why", "fingerprint")
_ACTION = insert_rows(actions, *_ACTION_COLUMNS)
_SELECT_ACTIONS = select_rows(actions, "id", lock=False)
_FIND_ACTION = f"SELECT {', '.join(Action.__slots__)} FROM actions WHERE id = CAST($1 AS uuid)"


class PostgresJobs:
    """The tables ``jobs`` and ``actions``; ``reading`` opens a connection."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    async def add(self, tx: PipelinedTransaction, job: Job) -> None:
        """Store a new job."""
        row = {name: getattr(job, name) for name in ("id", "kind", "state", "starts", "who", "why")}
        write_rows(tx, (_INSERT, [{**row, "request": job.request, "progress": job.progress}]))

    async def lock(self, tx: PipelinedTransaction, job_id: UUID) -> Job | None:
        """A job, locked."""
        found = await tx.execute(_LOCK, str(job_id)).rows()
        return _job(found[0]) if found else None

    async def change(self, tx: PipelinedTransaction, job: Job) -> None:
        """Store the state, progress and error of a job that is locked."""
        tx.execute(_CHANGE, _changed(job))

    async def claim(self, owner: UUID) -> Job | None:
        """The oldest active job, if no process works on any; it is this owner's for ``LEASE_SECONDS``."""
        async with self._reading() as connection:
            row = (await connection.execute(_CLAIM, {"owner": owner})).first()
            return _job(row) if row else None

    async def release(self, owner: UUID) -> None:
        """Give up what this owner has claimed."""
        async with self._reading() as connection:
            await connection.execute(_RELEASE, {"owner": owner})

    async def save(self, tx: PipelinedTransaction, owner: UUID, job: Job) -> None:
        """Store this owner's job and extend the lease; raise ``JobInterrupted``."""
        if not await tx.execute(_SAVE, _changed(job), str(owner)).rows():
            raise JobInterrupted

    async def get(self, job_id: UUID) -> Job | None:
        """A job."""
        async with self._reading() as connection:
            row = (await connection.execute(sa.select(jobs).where(jobs.c.id == job_id))).first()
            return _job(row) if row else None

    async def list(self, kind: Kind, before: UUID | None, limit: int) -> Sequence[Job]:
        """The newest jobs of a kind."""
        query = sa.select(jobs).where(jobs.c.kind == kind).order_by(jobs.c.id.desc()).limit(limit)
        if before:
            query = query.where(jobs.c.id < before)
        async with self._reading() as connection:
            return [_job(row) for row in await connection.execute(query)]

    async def running(self) -> UUID | None:
        """A job that is being worked on."""
        query = sa.select(jobs.c.id).where(jobs.c.state.in_(["planning", "running"])).limit(1)
        async with self._reading() as connection:
            found: UUID | None = await connection.scalar(query)
            return found

    async def record(self, tx: PipelinedTransaction, action: Action) -> None:
        """Store an action."""
        write_rows(tx, (_ACTION, [columns(action, _ACTION_COLUMNS)]))

    async def action(self, tx: PipelinedTransaction, action_id: UUID) -> Action | None:
        """The action with this id, if it was done."""
        found = await tx.execute(_FIND_ACTION, str(action_id)).rows()
        return _action(found[0]) if found else None

    async def actions(self, before: int | None, limit: int) -> Sequence[Action]:
        """The newest actions."""
        query = sa.select(actions).order_by(actions.c.position.desc()).limit(limit)
        if before is not None:
            query = query.where(actions.c.position < before)
        async with self._reading() as connection:
            return [_action(row) for row in await connection.execute(query)]


def load_actions(rows: IdentityMap[UUID, Action]) -> Load[UUID, Action]:
    """What loads actions that commands of a service record in their own transaction."""
    return rows, _SELECT_ACTIONS, lambda row: (row.id, _action(row))


def save_actions(rows: IdentityMap[UUID, Action]) -> tuple[str, Sequence[Row]]:
    """What saves them."""
    return _ACTION, [columns(action, _ACTION_COLUMNS) for action in rows.changed]


def _changed(job: Job) -> str:
    names = ("id", "state", "progress", "error", "starts")
    return orjson.dumps({name: getattr(job, name) for name in names}).decode()


def _job(row: object) -> Job:
    return Job(*(getattr(row, name) for name in Job.__slots__))


def _action(row: object) -> Action:
    return Action(*(getattr(row, name) for name in Action.__slots__))
