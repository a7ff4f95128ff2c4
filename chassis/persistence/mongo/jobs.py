"""The jobs and actions of ops in MongoDB."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pymongo import ReturnDocument
from pymongo.asynchronous.database import AsyncDatabase

from chassis.jobs.domain import ACTIVE, Action, Job, JobInterrupted, Kind
from chassis.jobs.store import LEASE_SECONDS
from chassis.persistence.mongo.connection import translated
from chassis.persistence.mongo.lease import MongoLease
from chassis.persistence.mongo.transaction import Document, MongoTransaction

_ACTIVE: Document = {"state": {"$in": list(ACTIVE)}}


class MongoJobs:
    """The collections ``jobs`` and ``actions``. One lease for all jobs: a process works on one of them at a time."""

    def __init__(self, db: AsyncDatabase[Document]) -> None:
        self._db, self._lease = db, MongoLease(db, "jobs", LEASE_SECONDS)
        self._renew_at = 0.0

    async def add(self, tx: MongoTransaction, job: Job) -> None:
        """Store a new job."""
        names = ("kind", "state", "request", "progress", "error", "starts", "who", "why")
        document = {name: getattr(job, name) for name in names}
        now = datetime.now(UTC)
        await self._db.jobs.insert_one(
            {"_id": job.id, **document, "owner": None, "created_at": now, "updated_at": now}, session=tx.session
        )

    async def lock(self, tx: MongoTransaction, job_id: UUID) -> Job | None:
        """A job, locked."""
        found = await self._db.jobs.find_one_and_update({"_id": job_id}, {"$inc": {"locked": 1}}, session=tx.session)
        return _job(found) if found else None

    async def change(self, tx: MongoTransaction, job: Job) -> None:
        """Store the state, progress and error of a job that is locked."""
        await self._db.jobs.update_one({"_id": job.id}, _changed(job), session=tx.session)

    async def claim(self, owner: UUID) -> Job | None:
        """The oldest active job, if no process works on any; it is this owner's for ``LEASE_SECONDS``."""
        with translated():
            oldest = await self._db.jobs.find_one(_ACTIVE, {"_id": 1}, sort=[("_id", 1)])
            if oldest is None or not await self._lease.hold(str(owner)):
                return None
            start = {"$add": ["$starts", {"$cond": [{"$eq": ["$owner", owner]}, 0, 1]}]}
            claimed = await self._db.jobs.find_one_and_update(
                {**oldest, **_ACTIVE},
                [{"$set": {"starts": start, "owner": owner}}],
                return_document=ReturnDocument.AFTER,
            )
        return _job(claimed) if claimed else None

    async def release(self, owner: UUID) -> None:
        """Give up what this owner has claimed."""
        start = {"$max": [0, {"$subtract": ["$starts", 1]}]}
        with translated():
            await self._db.jobs.update_many({"owner": owner}, [{"$set": {"owner": None, "starts": start}}])
            await self._lease.release(str(owner))
        self._renew_at = 0.0

    async def save(self, tx: MongoTransaction, owner: UUID, job: Job) -> None:
        """Store this owner's job and extend the lease; raise ``JobInterrupted``."""
        mine = {"_id": job.id, "owner": owner, **_ACTIVE}
        if not (await self._db.jobs.update_one(mine, _changed(job), session=tx.session)).matched_count:
            raise JobInterrupted
        now = asyncio.get_running_loop().time()
        if now >= self._renew_at:
            if not await self._lease.hold(str(owner)):
                raise JobInterrupted
            self._renew_at = now + LEASE_SECONDS / 4

    async def get(self, job_id: UUID) -> Job | None:
        """A job."""
        with translated():
            found = await self._db.jobs.find_one({"_id": job_id})
        return _job(found) if found else None

    async def list(self, kind: Kind, before: UUID | None, limit: int) -> Sequence[Job]:
        """The newest jobs of a kind."""
        query: Document = {"kind": kind, **({"_id": {"$lt": before}} if before else {})}
        with translated():
            return [_job(one) for one in await self._db.jobs.find(query).sort("_id", -1).limit(limit).to_list()]

    async def running(self) -> UUID | None:
        """A job that is being worked on."""
        with translated():
            found = await self._db.jobs.find_one(_ACTIVE, {"_id": 1})
        return UUID(str(found["_id"])) if found else None

    async def record(self, tx: MongoTransaction, action: Action) -> None:
        """Store an action."""
        names = ("who", "action", "subject", "why", "fingerprint")
        document = {
            **{name: getattr(action, name) for name in names},
            "_id": action.id,
            "at": datetime.now(UTC),
            "position": time.time_ns(),
        }
        await self._db.actions.insert_one(document, session=tx.session)

    async def action(self, tx: MongoTransaction, action_id: UUID) -> Action | None:
        """The action with this id, if it was done."""
        found = await self._db.actions.find_one({"_id": action_id}, session=tx.session)
        return _action(found) if found else None

    async def actions(self, before: int | None, limit: int) -> Sequence[Action]:
        """The newest actions."""
        query: Document = {} if before is None else {"position": {"$lt": before}}
        with translated():
            found = await self._db.actions.find(query).sort("position", -1).limit(limit).to_list()
        return [_action(one) for one in found]


def _changed(job: Job) -> Document:
    names = ("state", "progress", "error", "starts")
    return {"$set": {**{name: getattr(job, name) for name in names}, "updated_at": datetime.now(UTC)}}


def _job(document: Document) -> Job:
    return Job(**{name: document[name] for name in Job.__slots__ if name != "id"}, id=document["_id"])


def _action(document: Any) -> Action:
    return Action(**{name: document[name] for name in Action.__slots__ if name != "id"}, id=document["_id"])
