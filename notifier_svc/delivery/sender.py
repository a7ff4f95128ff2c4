"""Sends the mails of the ledger, over a few SMTP connections that are kept open.

No mail can be sent exactly once: between the final dot and our commit it is unknown whether it was. Only a mail that
was being handed over when its process ended can be sent twice: once more, with the same Message-ID, and counted.
"""

import asyncio
from contextlib import suppress
from functools import partial
from uuid import UUID

import aiosmtplib
from opentelemetry.trace import SpanKind
from pydantic_core import Url

from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from chassis.runtime import failpoints, tracing
from chassis.runtime.batch_pacing import BatchPacer
from chassis.runtime.retry import backoff, retry_until_available
from chassis.runtime.telemetry import traced
from notifier_svc.delivery.claims import ClaimedMail, claim_due_mails
from notifier_svc.delivery.outcomes import Outcomes
from notifier_svc.delivery.pending_work import PendingWork
from notifier_svc.delivery.periodic import release_expired_claims
from notifier_svc.delivery.server_status import ServerStatus
from notifier_svc.delivery.smtp import Connection, connect
from notifier_svc.delivery.smtp_replies import redact_addresses
from notifier_svc.delivery.transmission import Sent, Transmitter
from notifier_svc.rendering.mime import MimeRenderer
from notifier_svc.unit_of_work import NotifierUnitOfWork

ROUND_SECONDS = 0.015
"""Mails that become due within a round are claimed together, and outcomes within a round share a commit."""
IDLE_SECONDS = 1.0
"""How soon to look again when no mail was due and nothing was committed in this process."""
STOP_SECONDS = 5.0
"""How long a process that is stopped may take to finish the mails that it has claimed."""
CONNECTION_PAUSES = (0.2, 15.0)
"""A connection over which no mail can be sent pauses: seconds at first and at most, jittered (``backoff``)."""


class Sender:
    """Claims due mails and distributes them to its connections."""

    def __init__(
        self,
        database: Postgres,
        commit: GroupCommit[NotifierUnitOfWork],
        renderer: MimeRenderer,
        smtp_url: Url,
        *,
        connections: int,
        lease_seconds: float,
        start_tls: bool | None = None,
    ) -> None:
        self._database, self._smtp_url, self._lease = database, smtp_url, lease_seconds
        self._start_tls = start_tls
        self._connections = connections
        self._outcomes = Outcomes(commit)
        self._pending = PendingWork()
        self._server = ServerStatus()
        self._transmitter = Transmitter(renderer, self._outcomes, self._pending, self._server, lease_seconds)
        self._queue: asyncio.Queue[ClaimedMail] = asyncio.Queue(connections * 4)
        self._claimed: dict[UUID, ClaimedMail] = {}
        """Not begun: in the queue, or waiting for a connection."""

    async def run(self) -> None:
        """Send mails until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._pending.watch(), name="watch pending work")
                tasks.create_task(self._claim_mails(), name="claim mails")
                release = release_expired_claims(self._database, self._outcomes, self._lease)
                tasks.create_task(release, name="release expired claims")
                for _ in range(self._connections):
                    tasks.create_task(self._send_mails(), name="send mails")
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(STOP_SECONDS):
                    await self._stop()

    async def _stop(self) -> None:
        """Finish mails that are being sent, which would be in doubt otherwise, and release the others."""
        await self._pending.finish()
        waiting = self._claimed.values()
        await asyncio.gather(*(self._postpone(one, "the process was stopped") for one in waiting))

    async def _postpone(self, claimed: ClaimedMail, reason: str) -> None:
        with traced(claimed.mail.trace):
            await self._outcomes.postponed(claimed, reason)

    async def _claim_mails(self) -> None:
        committed, pacer = self._database.committed, BatchPacer(ROUND_SECONDS)
        while True:
            async with pacer:
                committed.clear()
                free = self._queue.maxsize - self._queue.qsize()
                claim = partial(self._claim, free)
                mails = await retry_until_available(claim, "mail delivery") if free else []
                pacer.size = len(mails)
            self._claimed.update((one.mail.id, one) for one in mails)
            for one in mails:
                if one.not_attempted:
                    self._pending.start(self._end_unattempted(one))
                else:
                    await self._queue.put(one)
            if not mails:
                # A mail that is queued in this process wakes us; mails of others, and retries, are found by polling.
                with suppress(TimeoutError):
                    async with asyncio.timeout(IDLE_SECONDS):
                        await committed.wait()

    async def _claim(self, limit: int) -> list[ClaimedMail]:
        mails = await claim_due_mails(self._database, limit, self._lease)
        if not mails:
            return []
        if failpoints.armed:
            await failpoints.reach("mail.claimed")
        return mails

    async def _end_unattempted(self, claimed: ClaimedMail) -> None:
        with traced(claimed.mail.trace):
            await self._outcomes.not_attempted(claimed)
        self._claimed.pop(claimed.mail.id, None)

    async def _send_mails(self) -> None:
        """Send mails over one connection, which is opened again when it ends."""
        smtp: Connection | None = None
        pauses = backoff(*CONNECTION_PAUSES)
        while True:
            claimed = await self._queue.get()
            try:
                smtp = (
                    smtp if smtp and smtp.usable else await connect(self._smtp_url, self._lease / 3, self._start_tls)
                )
            except (aiosmtplib.SMTPException, OSError) as error:
                # The mail server is down: wait, or the mails would be refused as fast as they can be claimed.
                reason = f"cannot connect: {error}"
                self._server.refuses_us(redact_addresses(reason, ""))
                await self._postpone(claimed, reason)
                self._claimed.pop(claimed.mail.id, None)
                await asyncio.sleep(next(pauses))
                continue
            self._claimed.pop(claimed.mail.id, None)
            match await asyncio.shield(self._pending.start(self._send(smtp, claimed))):
                case "over":
                    pauses = backoff(*CONNECTION_PAUSES)
                case "ended":
                    # Wait here too: the server may refuse everything for now.
                    smtp = None
                    await asyncio.sleep(next(pauses))

    async def _send(self, smtp: Connection, claimed: ClaimedMail) -> Sent:
        """Send one mail, in the trace of what caused it, and close a connection that has ended."""
        mail = claimed.mail
        attributes = {"shop.mail.id": str(mail.id), "shop.mail.template": mail.template}
        with traced(mail.trace), tracing.span("send mail", SpanKind.CLIENT, attributes) as span:
            sent = await self._transmitter.send(smtp, claimed, span)
        if sent == "ended":
            await smtp.quit()
        return sent
