"""Staff, to whom some mails go: known to the ledger as a customer is, by the settings of the event process."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import structlog

from chassis.http.errors import OutcomeUnknown, Unavailable
from chassis.persistence.group_commit import GroupCommit
from chassis.runtime.retry import backoff
from notifier_svc.commands import appoint_staff
from notifier_svc.domain import Customer
from notifier_svc.store import Ledger

log = structlog.get_logger()

Loop = Callable[[], Coroutine[Any, Any, None]]


def introduced(commit: GroupCommit[Ledger], staff: Customer, loop: Loop) -> Loop:
    """The loop, begun once the ledger knows where staff want to be written to."""

    async def run() -> None:
        await _introduce(commit, staff)
        await loop()

    return run


async def _introduce(commit: GroupCommit[Ledger], staff: Customer) -> None:
    pauses = backoff(0.1, 10.0)
    while True:
        try:
            return await commit(
                partial(appoint_staff, staff=staff), wants=lambda ledger: ledger.customers.prefetch(staff.id)
            )
        except (Unavailable, OutcomeUnknown) as error:
            log.warning("waiting for the database", why=str(error)[:200])
            await asyncio.sleep(next(pauses))
