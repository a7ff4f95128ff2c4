"""The event process of product_svc: reserves stock for orders. ``python -m product_svc.worker``."""

from chassis.runtime.settings import load
from chassis.runtime.worker import run_worker
from product_svc import SERVICE
from product_svc.container import open_event_process
from product_svc.settings import WorkerSettings

if __name__ == "__main__":
    settings = load(WorkerSettings, SERVICE)
    run_worker(lambda: open_event_process(settings), SERVICE, settings)
