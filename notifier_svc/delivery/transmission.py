"""Sends one mail over a connection, and records what became of it.

The ledger says how far a mail has come *before* each step, and no database transaction is open during SMTP.
"""

import asyncio
from datetime import UTC, datetime

import aiosmtplib

from chassis.runtime import failpoints
from chassis.runtime.redaction import redacted
from notifier_svc.delivery.claims import ClaimedMail
from notifier_svc.delivery.outcomes import Outcomes
from notifier_svc.delivery.pending_work import PendingWork
from notifier_svc.delivery.smtp import Connection
from notifier_svc.delivery.smtp_replies import is_unknown_address
from notifier_svc.rendering.mime import MimeRenderer

BEGIN_BY, END_BY = 0.4, 0.8
"""Fractions of the lease: after the first no handover begins, after the second the mail is in doubt.

A mail that was still being handed over when its lease expired would be sent by the next process as well.
"""


class Transmitter:
    """Sends claimed mails; ``send`` returns False when the connection must not be used again."""

    def __init__(
        self, renderer: MimeRenderer, outcomes: Outcomes, pending: PendingWork, lease_seconds: float
    ) -> None:
        self._renderer, self._outcomes, self._pending = renderer, outcomes, pending
        self._lease = lease_seconds

    async def send(self, smtp: Connection, claimed: ClaimedMail) -> bool:
        """Send one mail. Never cancelled: what has begun is finished, or ends at its time limit."""
        begin_by = claimed.claimed_at + self._lease * BEGIN_BY
        if asyncio.get_running_loop().time() >= begin_by:
            # Other mails of the same claim took too long; that says nothing about the mail server.
            await self._outcomes.postponed(claimed, "waited too long for a connection")
            return True
        try:
            content = self._renderer.render(claimed.mail.content, claimed.recipient, datetime.now(UTC))
        except Exception as error:  # noqa: BLE001 - a mail that cannot be rendered affects only itself
            await self._outcomes.failed(claimed, f"cannot be rendered: {redacted(error)}")
            return True
        try:
            async with asyncio.timeout_at(begin_by):
                await smtp.announce(self._renderer.sender, claimed.recipient.email)
        except aiosmtplib.SMTPResponseException as refusal:
            return await self._refused(smtp, claimed, refusal)
        except ValueError as error:
            await self._outcomes.failed(claimed, f"no address: {error}")
            return await smtp.reset()
        except (aiosmtplib.SMTPException, OSError) as error:
            await self._outcomes.postponed(claimed, f"before the message: {error!r}")
            return False
        if not await self._outcomes.begin_sending(claimed):
            smtp.close()
            return False
        if failpoints.armed:
            await failpoints.reach("mail.dot.before")
        return await self._hand_over(smtp, claimed, content)

    async def _hand_over(self, smtp: Connection, claimed: ClaimedMail, content: bytes) -> bool:
        """Send the message itself. Anything but a clear reply after the final dot leaves the mail in doubt."""
        try:
            async with asyncio.timeout_at(claimed.claimed_at + self._lease * END_BY):
                reply = await smtp.transfer(content)
        except (aiosmtplib.SMTPException, OSError) as error:
            await self._outcomes.in_doubt(claimed, str(error))
            return False
        if reply.code >= 400:
            return await self._refused(smtp, claimed, aiosmtplib.SMTPDataError(reply.code, reply.message))
        if failpoints.armed:
            await failpoints.reach("mail.dot.after")
        # Meanwhile the connection sends the next mail: the more mails share a commit, the less each costs.
        self._pending.start(self._outcomes.sent(claimed.mail))
        return True

    async def _refused(
        self, smtp: Connection, claimed: ClaimedMail, refusal: aiosmtplib.SMTPResponseException
    ) -> bool:
        """5xx is permanent, any other reply temporary (RFC 5321 §4.2.1)."""
        reason = f"{refusal.code} {refusal.message}"
        if not 500 <= refusal.code < 600:
            await self._outcomes.postponed(claimed, reason)
            return False
        if is_unknown_address(refusal):
            await self._outcomes.bounced(claimed, reason)
        else:
            await self._outcomes.failed(claimed, reason)
        # One mail is refused, not the shop: customers with addresses that do not exist must not slow the others.
        return await smtp.reset()
