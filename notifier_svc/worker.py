"""The event process of notifier_svc: fills the ledger and sends it. ``python -m notifier_svc.worker``."""

from chassis.consumer import Consumer
from chassis.groupcommit import GroupCommit
from chassis.settings import load
from chassis.sql import Postgres
from chassis.worker import EventProcess, run_worker
from notifier_svc import SERVICE
from notifier_svc.domain import staff
from notifier_svc.handlers import HANDLERS
from notifier_svc.letters import Letters
from notifier_svc.links import Links
from notifier_svc.sender import ROUND_SECONDS, Sender
from notifier_svc.settings import WorkerSettings
from notifier_svc.staff import introduced
from notifier_svc.store import Ledger


async def build(settings: WorkerSettings) -> EventProcess:
    """The parts of the process."""
    database = Postgres(str(settings.postgres_url))
    commit = GroupCommit(database, Ledger, round_seconds=ROUND_SECONDS)
    sender = Sender(
        database,
        commit,
        Letters(settings.mail_from, Links.to(settings.shop_url, settings.link_key)),
        settings.smtp_url,
        connections=settings.mail_connections,
        lease_seconds=settings.mail_lease_seconds,
    )
    consumer = Consumer(database, SERVICE, Ledger, HANDLERS)
    sending = introduced(commit, staff(settings.staff_mail, settings.staff_locale), sender.run)
    return EventProcess(SERVICE, settings, database, consumer, loops=[commit.run, sending])


if __name__ == "__main__":
    settings = load(WorkerSettings, SERVICE)
    run_worker(lambda: build(settings), SERVICE, settings)
