"""The event process of customer_svc: ``python -m customer_svc.worker``."""

from chassis.consumer import Consumer
from chassis.settings import PostgresSettings, load
from chassis.sql import Postgres
from chassis.worker import EventProcess, run_worker
from customer_svc import SERVICE
from customer_svc.handlers import HANDLERS
from customer_svc.store import Accounts
from customer_svc.sweep import sweep_for_ever


async def build(settings: PostgresSettings) -> EventProcess:
    """The parts of the process."""
    database = Postgres(str(settings.postgres_url))

    async def sweeping() -> None:
        await sweep_for_ever(database)

    consumer = Consumer(database, SERVICE, Accounts, HANDLERS)
    return EventProcess(SERVICE, settings, database, consumer, loops=[sweeping])


if __name__ == "__main__":
    settings = load(PostgresSettings, SERVICE)
    run_worker(lambda: build(settings), SERVICE, settings)
