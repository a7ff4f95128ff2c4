"""The event process of order_svc: handlers, saga deadlines, expiry, outbox. ``python -m order_svc.worker``."""

from chassis.runtime.settings import load
from chassis.runtime.worker import run_worker
from order_svc import SERVICE
from order_svc.container import open_event_process
from order_svc.settings import WorkerSettings

if __name__ == "__main__":
    settings = load(WorkerSettings, SERVICE)
    run_worker(lambda: open_event_process(settings), SERVICE, settings)
