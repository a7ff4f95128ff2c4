"""Records in the mail ledger, the log and the metrics what became of a mail.

An SMTP reply is recorded however long the database is unavailable: otherwise it would be lost with the process.
"""

from functools import partial
from typing import TypeVar

import structlog

from chassis.persistence.command import Command
from chassis.persistence.group_commit import GroupCommit
from chassis.runtime import failpoints
from chassis.runtime.retry import retry_until_available
from chassis.runtime.telemetry import seconds_since, traced
from notifier_svc.delivery.claims import ClaimedMail, ExpiredClaim
from notifier_svc.delivery.commands import (
    BeginSending,
    MarkBounced,
    MarkFailed,
    MarkInDoubt,
    MarkSent,
    MarkSuppressed,
    MarkUnwanted,
    PostponeMail,
    ReleaseExpiredClaim,
)
from notifier_svc.delivery.smtp_replies import redact_addresses
from notifier_svc.mails.domain import Mail
from notifier_svc.mails.metrics import MAILS, RECEIPT_SECONDS
from notifier_svc.unit_of_work import NotifierUnitOfWork

log = structlog.get_logger()

R = TypeVar("R")


class Outcomes:
    """Records outcomes through the group commit of the process."""

    def __init__(self, commit: GroupCommit[NotifierUnitOfWork]) -> None:
        self._commit = commit

    async def begin_sending(self, claimed: ClaimedMail) -> bool:
        """Whether the mail may be handed over."""
        return await self._record(BeginSending(claimed.mail.id, claimed.claim))

    async def sent(self, mail: Mail) -> None:
        """The mail server has accepted it."""
        await self._record(MarkSent(mail.id))
        if failpoints.armed:
            await failpoints.reach("mail.marked")
        MAILS.labels(mail.template, "sent").inc()
        if (seconds := _seconds_since_order(mail)) is not None:
            RECEIPT_SECONDS.observe(seconds)

    async def postponed(self, claimed: ClaimedMail, reason: str) -> None:
        """It was not sent, and is to be retried, unless that is too late."""
        error = redacted_reason(claimed, reason)
        retried = await self._record(PostponeMail(claimed.mail.id, claimed.claim, error))
        if not retried:
            log.error("mail failed", mail_id=str(claimed.mail.id), why=error)
        MAILS.labels(claimed.mail.template, "postponed" if retried else "failed").inc()

    async def in_doubt(self, claimed: ClaimedMail, reason: str) -> None:
        """It is unknown whether it was sent."""
        log.warning("mail in doubt", mail_id=str(claimed.mail.id), why=redacted_reason(claimed, reason)[:200])
        await self._record(MarkInDoubt(claimed.mail.id, claimed.claim))
        MAILS.labels(claimed.mail.template, "in_doubt").inc()

    async def failed(self, claimed: ClaimedMail, reason: str) -> None:
        """It cannot be delivered."""
        error = redacted_reason(claimed, reason)
        log.error("mail failed", mail_id=str(claimed.mail.id), why=error)
        await self._record(MarkFailed(claimed.mail.id, claimed.claim, error))
        MAILS.labels(claimed.mail.template, "failed").inc()

    async def bounced(self, claimed: ClaimedMail, reason: str) -> None:
        """Its address does not exist."""
        error = redacted_reason(claimed, reason)
        log.warning("address suppressed", mail_id=str(claimed.mail.id), why=error)
        await self._record(MarkBounced(claimed.mail.id, claimed.claim, claimed.recipient, error))
        MAILS.labels(claimed.mail.template, "bounced").inc()

    async def not_attempted(self, claimed: ClaimedMail) -> None:
        """It is not sent: its address is suppressed, or its customer does not want it."""
        mail, reason = claimed.mail, claimed.suppressed
        if reason is None:
            await self._record(MarkUnwanted(mail.id, claimed.claim))
        else:
            await self._record(MarkSuppressed(mail.id, claimed.claim, reason))
        MAILS.labels(mail.template, "suppressed" if reason else "unwanted").inc()

    async def claim_expired(self, expired: ExpiredClaim) -> None:
        """Another process has not finished it in time."""
        with traced(expired.trace):
            log.warning("claim expired", mail_id=str(expired.mail_id), state=expired.state)
            in_doubt = await self._record(ReleaseExpiredClaim(expired.mail_id, expired.claim))
        if in_doubt:
            MAILS.labels("any", "in_doubt").inc()

    async def _record(self, command: Command[NotifierUnitOfWork, R]) -> R:
        commit = partial(self._commit, command)
        result: R = await retry_until_available(commit, "mail delivery")
        return result


def _seconds_since_order(mail: Mail) -> float | None:
    """How long its receipt took; None for other mails, and for one that staff send again, perhaps years later."""
    is_first = mail.template == "receipt" and mail.resend_of is None
    return seconds_since(mail.order_id) if is_first and mail.order_id else None


def redacted_reason(claimed: ClaimedMail, reason: str) -> str:
    """A reason without addresses: it is logged, stored and published."""
    return redact_addresses(reason, claimed.recipient.email)
