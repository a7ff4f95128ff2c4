"""The event process of customer_svc: ``python -m customer_svc.worker``."""

from chassis.runtime.settings import load
from chassis.runtime.worker import run_worker
from customer_svc import SERVICE
from customer_svc.container import open_event_process
from customer_svc.settings import WorkerSettings

if __name__ == "__main__":
    settings = load(WorkerSettings, SERVICE)
    run_worker(lambda: open_event_process(settings), SERVICE, settings)
