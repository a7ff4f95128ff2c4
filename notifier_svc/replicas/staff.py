"""The staff of the settings, written into the replica when the event process starts."""

from functools import partial

from chassis.persistence.group_commit import GroupCommit
from chassis.runtime.retry import retry_until_available
from notifier_svc.replicas.commands import RegisterStaff
from notifier_svc.replicas.domain import Customer
from notifier_svc.unit_of_work import NotifierUnitOfWork


async def register_staff(commit: GroupCommit[NotifierUnitOfWork], staff: Customer) -> None:
    """Return once the replica has the staff, which takes as long as the database is unavailable."""
    register = partial(commit, RegisterStaff(staff))
    await retry_until_available(register, "staff registration")
