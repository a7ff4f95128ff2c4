"""The event process of customer_svc: ``python -m customer_svc.worker``."""

from chassis.runtime.settings import PostgresSettings, load
from chassis.runtime.worker import run_worker
from customer_svc import SERVICE
from customer_svc.container import open_event_process

if __name__ == "__main__":
    settings = load(PostgresSettings, SERVICE)
    run_worker(lambda: open_event_process(settings), SERVICE, settings)
