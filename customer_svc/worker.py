"""The event process of customer_svc, which only tells: ``python -m customer_svc.worker``."""

from chassis.settings import PostgresSettings, load
from chassis.sql import Postgres
from chassis.worker import EventProcess, run_worker
from customer_svc import SERVICE


async def build(settings: PostgresSettings) -> EventProcess:
    """The parts of the process."""
    return EventProcess(SERVICE, settings, Postgres(str(settings.postgres_url)))


if __name__ == "__main__":
    settings = load(PostgresSettings, SERVICE)
    run_worker(lambda: build(settings), SERVICE, settings)
