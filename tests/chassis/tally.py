"""A minimal service for the tests of the chassis: it counts, per SKU, in either database."""

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa

from chassis.messaging.handlers import Handlers, OnRepeat
from chassis.persistence.database import Database
from chassis.persistence.mongo.schema import create_collections
from chassis.persistence.mongo.transaction import MongoTransaction
from chassis.persistence.postgres.database import Postgres
from chassis.persistence.postgres.rows import insert_rows, load_rows, select_rows, update_rows, write_rows
from chassis.persistence.postgres.tables import dead_letters
from chassis.persistence.unit_of_work import IdentityMap, UnitOfWork
from schemas import Envelope, StockAdjusted

tallies = sa.Table(
    "tallies",
    sa.MetaData(),
    sa.Column("sku", sa.Text, primary_key=True),
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("seen", sa.Text, nullable=False),
)
_SELECT = select_rows(tallies, "sku")
_INSERT = insert_rows(tallies, "sku", "total", "seen")
_UPDATE = update_rows(tallies, "sku", "total", "seen")


@dataclass(frozen=True, slots=True)
class Tally:
    sku: str
    total: int = 0
    seen: str = ""
    """The reasons of the events, in the order in which they were handled."""


BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


class Tallies(UnitOfWork):
    source = "tally_svc"

    def __init__(self, now: datetime) -> None:
        super().__init__(now)
        self.rows: IdentityMap[str, Tally] = IdentityMap(self)

    async def load(self, tx: Any) -> None:
        if isinstance(tx, MongoTransaction):
            found = await tx.db.tallies.find({"_id": {"$in": self.rows.missing}}, session=tx.session).to_list()
            self.rows.fill({d["_id"]: Tally(d["_id"], d["total"], d["seen"]) for d in found})
        else:
            await load_rows(tx, (self.rows, _SELECT, lambda row: (row.sku, Tally(row.sku, row.total, row.seen))))

    async def save(self, tx: Any) -> None:
        if isinstance(tx, MongoTransaction):
            for row in self.rows.changed:
                values = {"$set": {"total": row.total, "seen": row.seen}}
                await tx.db.tallies.update_one({"_id": row.sku}, values, upsert=True, session=tx.session)
            return
        made, amended = [asdict(row) for row in self.rows.inserted], [asdict(row) for row in self.rows.updated]
        write_rows(tx, (_INSERT, made), (_UPDATE, amended))


class Deadly(BaseException):
    """Stands for a process that dies: nothing in the chassis may catch it."""


@dataclass(frozen=True, slots=True)
class Count:
    on_repeat: ClassVar[OnRepeat] = "refuse"
    envelope: Envelope[StockAdjusted]

    def prefetch(self, uow: Tallies) -> None:
        uow.rows.prefetch(self.envelope.event.sku)

    def execute(self, uow: Tallies) -> None:
        event = self.envelope.event
        tally = uow.rows.get(event.sku) or Tally(event.sku)
        uow.rows.set(event.sku, replace(tally, total=tally.total + event.delta, seen=f"{tally.seen}{event.reason} "))
        total = tally.total + event.delta
        uow.emit(event, total, BEGIN + timedelta(seconds=total))
        if event.reason.startswith("erase "):
            uow.redactions.add(UUID(event.reason.removeprefix("erase ")))
        if event.reason == "bug":
            raise RuntimeError("a bug, after something was changed already")
        if event.reason == "deadly":
            raise Deadly


HANDLERS: Handlers[Tallies] = {StockAdjusted: Count}


def counted(sku: str, reason: str = "x", delta: int = 1) -> StockAdjusted:
    return StockAdjusted(sku=sku, delta=delta, reason=reason, on_hand=0, reserved=0)


async def make_tables(database: Database[Any]) -> None:
    if isinstance(database, Postgres):
        async with database.engine.begin() as tx:
            await tx.run_sync(tallies.create, checkfirst=True)
    else:
        await create_collections(database.db, "tallies")  # type: ignore[attr-defined]


async def tally(database: Database[Any], sku: str) -> Tally | None:
    unit = Tallies(datetime.now().astimezone())
    unit.rows.prefetch(sku)
    async with database.transaction() as tx:
        await unit.load(tx)
    return unit.rows.get(sku)


async def outbox(database: Database[Any]) -> list[tuple[str, str]]:
    """(topic, key) of what waits to be published, in order."""
    async with database.leadership.lead() as reader:
        return [(row.message.topic, row.message.key) for row in await reader.advance([], 1000)]


async def letters(database: Database[Any]) -> list[tuple[str, str]]:
    """(state, reason) of the dead letters, in order."""
    return [(letter["state"], letter["reason"]) for letter in await stored_letters(database)]


async def stored_letters(database: Database[Any]) -> list[dict[str, Any]]:
    """The dead letters, in order, with all their columns."""
    if isinstance(database, Postgres):
        async with database.reading() as connection:
            rows = await connection.execute(sa.select(dead_letters).order_by(dead_letters.c.position))
            return [dict(row._mapping) for row in rows]
    found: list[dict[str, Any]] = await database.db.dead_letters.find().sort("_id").to_list()  # type: ignore[attr-defined]
    return found
