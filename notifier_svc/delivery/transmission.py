"""Sends one mail over a connection, and records what became of it.

The ledger says how far a mail has come *before* each step, and no database transaction is open during SMTP.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

import aiosmtplib
from opentelemetry.trace import Span

from chassis.runtime import failpoints, tracing
from chassis.runtime.redaction import redacted
from notifier_svc.delivery.claims import ClaimedMail
from notifier_svc.delivery.outcomes import Outcomes, redacted_reason
from notifier_svc.delivery.pending_work import PendingWork
from notifier_svc.delivery.server_status import ServerStatus
from notifier_svc.delivery.smtp import Connection
from notifier_svc.delivery.smtp_replies import Step, find_rule
from notifier_svc.rendering.mime import MimeRenderer, envelope_address

BEGIN_BY, END_BY = 0.4, 0.8
"""Fractions of the lease: after the first no handover begins, after the second the mail is in doubt.

A mail that was still being handed over when its lease expired would be sent by the next process as well.
"""

Sent = Literal["over", "ended", "not tried"]
"""What remains after a mail: a connection for the next, none, or one that says nothing of the server, as before."""

_STEPS: Mapping[type[aiosmtplib.SMTPResponseException], Step] = {
    aiosmtplib.SMTPSenderRefused: "MAIL",
    aiosmtplib.SMTPRecipientRefused: "RCPT",
    aiosmtplib.SMTPDataError: "DATA",
}


class Transmitter:
    """Sends claimed mails."""

    def __init__(
        self,
        renderer: MimeRenderer,
        outcomes: Outcomes,
        pending: PendingWork,
        server: ServerStatus,
        lease_seconds: float,
    ) -> None:
        self._renderer, self._outcomes, self._pending, self._server = renderer, outcomes, pending, server
        self._lease = lease_seconds

    async def send(self, smtp: Connection, claimed: ClaimedMail, span: Span) -> Sent:
        """Send one mail; ``span`` fails if it was not sent.

        Never cancelled: what has begun is finished, or ends at its time limit.
        """
        begin_by = claimed.claimed_at + self._lease * BEGIN_BY
        if asyncio.get_running_loop().time() >= begin_by:
            # Other mails of the same claim took too long; that says nothing about the mail server.
            tracing.fail(span, "postponed")
            await self._outcomes.postponed(claimed, "waited too long for a connection")
            return "not tried"
        try:
            content = self._renderer.render(claimed.mail.content, claimed.recipient, datetime.now(UTC))
        except Exception as error:  # noqa: BLE001 - a mail that cannot be rendered affects only itself
            tracing.fail(span, "failed")
            await self._outcomes.failed(claimed, f"cannot be rendered: {redacted(error)}")
            return "not tried"
        try:
            async with asyncio.timeout_at(begin_by):
                await smtp.announce(self._renderer.sender, envelope_address(claimed.recipient.email))
        except aiosmtplib.SMTPResponseException as refusal:
            return await self._refused(smtp, claimed, span, _STEPS.get(type(refusal), "MAIL"), refusal)
        except ValueError as error:
            # Nothing was sent to the server.
            tracing.fail(span, "failed")
            await self._outcomes.failed(claimed, f"no address: {error}")
            return "not tried"
        except (aiosmtplib.SMTPException, OSError) as error:
            tracing.fail(span, "postponed")
            await self._outcomes.postponed(claimed, f"before the message: {error!r}")
            return "ended"
        if not await self._outcomes.begin_sending(claimed):
            smtp.close()
            return "ended"
        if failpoints.armed:
            await failpoints.reach("mail.dot.before")
        return await self._hand_over(smtp, claimed, span, content)

    async def _hand_over(self, smtp: Connection, claimed: ClaimedMail, span: Span, content: bytes) -> Sent:
        """Send the message itself. Anything but a clear reply after the final dot leaves the mail in doubt."""
        try:
            async with asyncio.timeout_at(claimed.claimed_at + self._lease * END_BY):
                reply = await smtp.transfer(content)
        except (aiosmtplib.SMTPException, OSError) as error:
            tracing.fail(span, "in_doubt")
            await self._outcomes.in_doubt(claimed, str(error))
            return "ended"
        if reply.code >= 400:
            return await self._refused(
                smtp, claimed, span, "DATA", aiosmtplib.SMTPDataError(reply.code, reply.message)
            )
        if failpoints.armed:
            await failpoints.reach("mail.dot.after")
        self._server.accepts()
        # Meanwhile the connection sends the next mail: the more mails share a commit, the less each costs.
        self._pending.start(self._outcomes.sent(claimed.mail))
        return "over"

    async def _refused(
        self,
        smtp: Connection,
        claimed: ClaimedMail,
        span: Span,
        step: Step,
        refusal: aiosmtplib.SMTPResponseException,
    ) -> Sent:
        """Do what the table of replies says (``smtp_replies.RULES``)."""
        reason, about = f"{refusal.code} {refusal.message}", find_rule(step, refusal.code, refusal.message).about
        self._server.refused(about)
        if about == "us":
            self._server.refuses_us(redacted_reason(claimed, f"{step}: {reason}"))
        if about in ("us", "now"):
            tracing.fail(span, "postponed")
            await self._outcomes.postponed(claimed, reason)
            return "ended"
        if about == "recipient":
            tracing.fail(span, "bounced")
            await self._outcomes.bounced(claimed, reason)
        else:
            tracing.fail(span, "failed")
            await self._outcomes.failed(claimed, reason)
        # One mail is refused, not the shop: customers with addresses that do not exist must not slow the others.
        return "over" if await smtp.reset() else "ended"
