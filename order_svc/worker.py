"""The event process of order_svc: saga, deadlines, sweep and outbox. ``python -m order_svc.worker``."""

from chassis.consumer import Consumer
from chassis.groupcommit import GroupCommit
from chassis.settings import load
from chassis.sql import Postgres
from chassis.worker import EventProcess, run_worker
from order_svc import SERVICE
from order_svc.deadlines import Deadlines
from order_svc.handlers import HANDLERS
from order_svc.settings import WorkerSettings
from order_svc.store import OrderBook
from order_svc.sweep import Sweep


async def build(settings: WorkerSettings) -> EventProcess:
    """The parts of the process."""
    database = Postgres(str(settings.postgres_url))
    commit = GroupCommit(database, OrderBook)
    deadlines = Deadlines(database, commit, settings.order_deadline_seconds)
    sweep = Sweep(database, settings.idempotency_seconds)
    consumer = Consumer(database, SERVICE, OrderBook, HANDLERS)
    return EventProcess(SERVICE, settings, database, consumer, loops=[commit.run, deadlines.run, sweep.run])


if __name__ == "__main__":
    settings = load(WorkerSettings, SERVICE)
    run_worker(lambda: build(settings), SERVICE, settings)
