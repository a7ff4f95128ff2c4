"""Sends what the ledger holds, over a few kept SMTP connections.

Nothing can make a mail leave exactly once: between the final dot and our commit its fate is unknown. So
the ledger says how far a mail has come *before* each step, no database transaction is open while SMTP is
spoken, and only a mail that was being handed over when its process vanished can ever be sent twice, once,
under the same Message-ID, and counted.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import aiosmtplib
import sqlalchemy as sa
import structlog
from prometheus_client import Counter
from pydantic_core import Url

from chassis.http.errors import OutcomeUnknown, Unavailable
from chassis.persistence.errors import DatabaseUnavailable
from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from chassis.runtime import failpoints
from chassis.runtime.redaction import redacted
from chassis.runtime.retry import backoff
from notifier_svc.commands import (
    begin_sending,
    bounce,
    mark_doubtful,
    mark_failed,
    mark_sent,
    mark_suppressed,
    mark_unwanted,
    postpone,
    take_back,
)
from notifier_svc.domain import Mail
from notifier_svc.hands import Job, take_up
from notifier_svc.letters import Letters
from notifier_svc.smtp import Connection, anonymous, connect, no_such_address
from notifier_svc.store import Ledger

log = structlog.get_logger()

R = TypeVar("R")

MAILS = Counter("shop_mails", "Mails by what became of them", ["template", "outcome"])

ROUND_SECONDS = 0.015
"""What is due by then is claimed together, and mails that came as far by then are marked together."""
IDLE_SECONDS = 1.0
"""How soon to look again when nothing was due and nothing was committed here meanwhile."""

BEGIN_BY, END_BY = 0.4, 0.8
"""Parts of the lease: past the first no mail is begun, past the second it is in doubt.

A mail that was still being handed over when its lease lapsed would be sent by the next who takes it up.
"""

LEAVE_SECONDS = 5.0
"""How long a process that is redacted to stop may take to finish the mails in hand."""

AWAY_SECONDS = (0.2, 15.0)
"""A connection over which nothing leaves pauses so long, at first and at most, jittered (``chassis.backoff``)."""

_LAPSED = sa.text(
    "SELECT id, state, claim FROM mails WHERE state IN ('claimed', 'sending') AND lease_until < now() LIMIT 500"
)


class Sender:
    """One process's hands on the ledger."""

    def __init__(
        self,
        database: Postgres,
        commit: GroupCommit[Ledger],
        letters: Letters,
        smtp_url: Url,
        *,
        connections: int,
        lease_seconds: float,
    ) -> None:
        self._database, self._commit, self._letters = database, commit, letters
        self._smtp_url, self._lease = smtp_url, lease_seconds
        self._connections = connections
        self._jobs: asyncio.Queue[Job] = asyncio.Queue(connections * 4)
        self._claimed: dict[UUID, Job] = {}
        """Taken up and not begun, wherever it waits: in the queue, or for a connection."""
        self._in_hand: set[asyncio.Task[Any]] = set()
        self._broken: asyncio.Future[None]
        """What nobody waits for has failed."""

    async def run(self) -> None:
        """Send until cancelled."""
        self._broken = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._until_broken(), name="watch the mails in hand")
                tasks.create_task(self._claim_for_ever(), name="claim mails")
                tasks.create_task(self._sweep_for_ever(), name="sweep lapsed mails")
                for _ in range(self._connections):
                    tasks.create_task(self._send_for_ever(), name="send mails")
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(LEAVE_SECONDS):
                    await self._leave()

    async def _until_broken(self) -> None:
        await self._broken

    async def _leave(self) -> None:
        """Let mails in hand arrive, which would be in doubt otherwise, and give the others back."""
        while self._in_hand:
            await asyncio.wait(self._in_hand)
        await asyncio.gather(*(self._postpone(job, "the process was stopped") for job in self._claimed.values()))

    async def _claim_for_ever(self) -> None:
        committed = self._database.committed
        while True:
            committed.clear()
            free = self._jobs.maxsize - self._jobs.qsize()
            jobs = await self._insisting(partial(self._claim, free)) if free else []
            self._claimed.update((job.mail.id, job) for job in jobs)
            for job in jobs:
                if job.idle:
                    self._hold(self._withhold(job))
                else:
                    await self._jobs.put(job)
            if not jobs:
                # A mail that was queued in this process wakes us; others, and those put off, are found by looking.
                with suppress(TimeoutError):
                    async with asyncio.timeout(IDLE_SECONDS):
                        await committed.wait()
            await asyncio.sleep(ROUND_SECONDS)

    async def _claim(self, limit: int) -> list[Job]:
        jobs = await take_up(self._database, limit, self._lease)
        if jobs and failpoints.armed:
            await failpoints.reach("mail.claimed")
        return jobs

    async def _sweep_for_ever(self) -> None:
        while True:
            await self._insisting(self.sweep)
            await asyncio.sleep(self._lease / 4)

    async def sweep(self) -> None:
        """Take up what processes that vanished, or hang, had in hand."""
        async with self._database.reading() as connection:
            lapsed = (await connection.execute(_LAPSED)).all()
        for row in lapsed:
            log.warning("mail left in hand", mail_id=str(row.id), state=row.state)
            if await self._mark(row.id, partial(take_back, mail_id=row.id, claim=row.claim)):
                MAILS.labels("any", "in_doubt").inc()

    async def _send_for_ever(self) -> None:
        smtp: Connection | None = None
        pauses = backoff(*AWAY_SECONDS)
        while True:
            job = await self._jobs.get()
            try:
                smtp = smtp if smtp and smtp.usable else await connect(self._smtp_url, self._lease / 3)
            except (aiosmtplib.SMTPException, OSError) as error:
                # The mail server is away: hold back, or a queue would build up of its refusals.
                await self._postpone(job, f"cannot connect: {error}")
                self._claimed.pop(job.mail.id, None)
                await asyncio.sleep(next(pauses))
                continue
            self._claimed.pop(job.mail.id, None)
            if await asyncio.shield(self._hold(self._send_or_hang_up(smtp, job))):
                pauses = backoff(*AWAY_SECONDS)
            else:
                # A server that refuses everything for now would be called as fast as mails can be taken up.
                smtp = None
                await asyncio.sleep(next(pauses))

    async def _send_or_hang_up(self, smtp: Connection, job: Job) -> bool:
        """Send one mail; False when the connection has ended. Nobody cancels this: what is begun is ended."""
        usable = await self._send(smtp, job)
        if not usable:
            await smtp.hang_up()
        return usable

    async def _send(self, smtp: Connection, job: Job) -> bool:
        """Send one mail; False when the connection is not to be used again."""
        begin_by = job.taken_at + self._lease * BEGIN_BY
        if asyncio.get_running_loop().time() >= begin_by:
            # Taken up long ago, it waited for those before it: no fault of the mail server.
            await self._postpone(job, "waited too long for a connection")
            return True
        try:
            content = self._letters.write(job.mail, job.customer, datetime.now(UTC))
        except Exception as error:  # noqa: BLE001 - a letter that cannot be written costs only itself
            await self._failed(job, f"cannot be written: {redacted(error)}")
            return True
        try:
            async with asyncio.timeout_at(begin_by):
                await smtp.announce(self._letters.sender, job.customer.email)
        except aiosmtplib.SMTPResponseException as refusal:
            return await self._refused(smtp, job, refusal)
        except ValueError as error:
            await self._failed(job, f"no address: {error}")
            return await smtp.start_again()
        except (aiosmtplib.SMTPException, OSError) as error:
            await self._postpone(job, f"before the message: {error!r}")
            return False
        if not await self._mark(job.mail.id, lambda ledger: begin_sending(ledger, job.mail.id, job.claim)):
            smtp.close()
            return False
        if failpoints.armed:
            await failpoints.reach("mail.dot.before")
        return await self._hand_over(smtp, job, content)

    async def _hand_over(self, smtp: Connection, job: Job, content: bytes) -> bool:
        """Send the message itself. Any end but a plain answer after the final dot leaves a doubt."""
        mail = job.mail
        try:
            async with asyncio.timeout_at(job.taken_at + self._lease * END_BY):
                answer = await smtp.transfer(content)
        except (aiosmtplib.SMTPException, OSError) as error:
            log.warning("mail in doubt", mail_id=str(mail.id), why=_unnamed(job, str(error))[:200])
            await self._mark(mail.id, lambda ledger: mark_doubtful(ledger, mail.id, job.claim))
            MAILS.labels(mail.template, "in_doubt").inc()
            return False
        if answer.code >= 400:
            return await self._refused(smtp, job, aiosmtplib.SMTPDataError(answer.code, answer.message))
        if failpoints.armed:
            await failpoints.reach("mail.dot.after")
        # The connection is free for the next mail meanwhile: the more are marked at once, the less each costs.
        self._hold(self._delivered(mail))
        return True

    async def _delivered(self, mail: Mail) -> None:
        await self._mark(mail.id, lambda ledger: mark_sent(ledger, mail.id))
        if failpoints.armed:
            await failpoints.reach("mail.marked")
        MAILS.labels(mail.template, "sent").inc()

    def _hold(self, work: Coroutine[Any, Any, R]) -> asyncio.Task[R]:
        """Start what has to be finished before this process may end."""
        task = asyncio.create_task(work)
        self._in_hand.add(task)
        task.add_done_callback(self._release)
        return task

    def _release(self, task: asyncio.Task[Any]) -> None:
        self._in_hand.discard(task)
        if not task.cancelled() and (failure := task.exception()) and not self._broken.done():
            self._broken.set_exception(failure)

    async def _refused(self, smtp: Connection, job: Job, refusal: aiosmtplib.SMTPResponseException) -> bool:
        """5xx is for good, any other answer for now (RFC 5321 §4.2.1); False when the connection is to end."""
        why = f"{refusal.code} {refusal.message}"
        if not 500 <= refusal.code < 600:
            await self._postpone(job, why)
            return False
        if no_such_address(refusal):
            await self._bounced(job, why)
        else:
            await self._failed(job, why)
        # One mail is refused and not the shop: who registers addresses that do not exist must not slow the others.
        return await smtp.start_again()

    async def _failed(self, job: Job, why: str) -> None:
        error = _unnamed(job, why)
        log.error("mail failed", mail_id=str(job.mail.id), why=error)
        await self._mark(job.mail.id, lambda ledger: mark_failed(ledger, job.mail.id, job.claim, error))
        MAILS.labels(job.mail.template, "failed").inc()

    async def _bounced(self, job: Job, why: str) -> None:
        mail, customer, error = job.mail, job.customer, _unnamed(job, why)
        log.warning("address suppressed", mail_id=str(mail.id), why=error)

        def wants(ledger: Ledger) -> None:
            ledger.mails.prefetch(mail.id)
            ledger.customers.prefetch(customer.id)
            ledger.suppressions.prefetch(customer.email)

        await self._insisting(
            lambda: self._commit(lambda ledger: bounce(ledger, mail.id, job.claim, customer, error), wants)
        )
        MAILS.labels(mail.template, "failed").inc()

    async def _withhold(self, job: Job) -> None:
        """Note of a mail that is not to be sent why it is not."""
        mail_id, claim, why = job.mail.id, job.claim, job.suppressed
        if why is None:
            await self._mark(mail_id, partial(mark_unwanted, mail_id=mail_id, claim=claim))
        else:
            await self._mark(mail_id, partial(mark_suppressed, mail_id=mail_id, claim=claim, reason=why))
        self._claimed.pop(mail_id, None)
        MAILS.labels(job.mail.template, "suppressed" if why else "unwanted").inc()

    async def _postpone(self, job: Job, why: str) -> None:
        error = _unnamed(job, why)
        await self._mark(job.mail.id, lambda ledger: postpone(ledger, job.mail.id, job.claim, error))
        MAILS.labels(job.mail.template, "postponed").inc()

    async def _mark(self, mail_id: UUID, change: Callable[[Ledger], R]) -> R:
        return await self._insisting(lambda: self._commit(change, lambda ledger: ledger.mails.prefetch(mail_id)))

    async def _insisting(self, work: Callable[[], Awaitable[R]]) -> R:
        """Do it as soon as the database lets us; every change of the ledger may be repeated."""
        pauses = backoff(0.1, 10.0)
        while True:
            try:
                return await work()
            except (DatabaseUnavailable, Unavailable, OutcomeUnknown) as error:
                log.warning("waiting for the database", why=str(error)[:200])
                await asyncio.sleep(next(pauses))


def _unnamed(job: Job, said: str) -> str:
    """What was said about a mail, without whom it goes to: it is logged, kept, and redacted to others."""
    return anonymous(said, job.customer.email)
