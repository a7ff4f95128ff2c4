"""The event process of notifier_svc: fills the mail ledger and sends mails. ``python -m notifier_svc.worker``."""

from chassis.runtime.settings import load
from chassis.runtime.worker import run_worker
from notifier_svc import SERVICE
from notifier_svc.container import open_event_process
from notifier_svc.settings import WorkerSettings

if __name__ == "__main__":
    settings = load(WorkerSettings, SERVICE)
    run_worker(lambda: open_event_process(settings), SERVICE, settings)
