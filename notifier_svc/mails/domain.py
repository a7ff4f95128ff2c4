"""A mail, and how far it has come.

    queued → claimed      a process has claimed it
    claimed → sending     the process is about to hand it over
    sending → sent        the mail server has accepted it
    claimed → queued      to be retried: refused for now, or the process ended before handing it over
    sending → queued      to be retried; in doubt if no reply came, or the process ended, during the handover
    any → failed          refused for good, in doubt twice, or its customer was erased
    claimed → suppressed  its address is known not to exist
    claimed → unwanted    its customer has switched off such mails

A new mail is ``queued``, or ``withheld`` if a replay queues it that withholds mails: that is final.

A mail in doubt may or may not have been sent. It is sent once more with the same Message-ID, by which mail stores
recognise a copy. A mail in a final state is sent again only on request of staff, as another mail.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID, uuid5

from notifier_svc.errors import MailInProgress, MailLinkExpired, MailNotResendable
from notifier_svc.rendering.domain import ACCOUNT_TEMPLATES, OPTIONAL_TEMPLATES, MailContent, Template
from notifier_svc.replicas.domain import Customer
from schemas import MailFailed, MailSent

State = Literal["queued", "claimed", "sending", "sent", "failed", "suppressed", "unwanted", "withheld"]
FINAL_STATES: frozenset[State] = frozenset({"sent", "failed", "suppressed", "unwanted", "withheld"})

MAX_DOUBTS = 1
RETRY_SECONDS = (2.0, 300.0)
"""The pause after the first refusal, which doubles up to the second value."""
CONFIRMATION: Template = "account_erased"
"""The template of the mail that confirms an erasure."""
CONFIRMATION_VALIDITY = timedelta(hours=1)
"""How long an erased address may stay, so that the erasure can be confirmed to it."""

CUSTOMER_ERASED = "the customer was erased"
"""The ``error`` of anonymised mails, also in place of what a mail server replied."""

_NAMESPACE = UUID("6c8f6fd0-21f3-5d0a-8f0e-7f1f8a3e9b55")


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to a customer about one thing. Its id is derived from these, so the ledger has it once."""

    id: UUID
    template: Template
    customer_id: UUID
    order_id: UUID | None
    context: dict[str, Any]
    state: State
    claim: UUID | None
    attempts: int
    doubts: int
    due_at: datetime
    error: str | None
    changed_at: datetime
    recipient: str | None = None
    """The address, if it is not the customer's own."""
    resend_of: UUID | None = None
    """The mail that staff sent again with this one."""
    bounced: bool = False
    """Whether it failed because its address does not exist."""
    trace: str | None = None
    """The W3C ``traceparent`` of the event or request that caused it."""

    @property
    def content(self) -> MailContent:
        """What it says."""
        return MailContent(self.id, self.template, self.order_id, self.context, self.resend_of is not None)

    def unwanted_by(self, customer: Customer) -> bool:
        """Whether the customer has switched it off, and staff have not requested it."""
        return self.template in OPTIONAL_TEMPLATES and not customer.order_updates and self.resend_of is None

    def overdue(self, now: datetime) -> bool:
        """Whether it confirms an erasure, and has kept the address for as long as it may."""
        return self.template == CONFIRMATION and datetime.fromisoformat(self.context["expires_at"]) <= now

    def begin_sending(self, claim: UUID, now: datetime) -> "Mail | None":
        """About to be handed over; None if another process has claimed it meanwhile."""
        if self.claim != claim or self.state not in ("claimed", "sending"):
            return None
        if self.state == "sending":
            # Recorded before, but the database became unavailable before it could reply.
            return self
        return replace(self, state="sending", attempts=self.attempts + 1, changed_at=now)

    def mark_sent(self, now: datetime) -> tuple["Mail", MailSent] | None:
        """The mail server has accepted it, from whichever process; None if that is known."""
        if self.state == "sent":
            return None
        mail = replace(self, state="sent", error=None, bounced=False, changed_at=now)._ended()
        return mail, MailSent(
            mail_id=self.id,
            template=self.template,
            customer_id=self.customer_id,
            order_id=self.order_id,
            resend_of=self.resend_of,
        )

    def postpone(self, claim: UUID, error: str, now: datetime) -> tuple["Mail", MailFailed | None]:
        """Not sent; to be retried later, if that is in time. Changes nothing if another process has claimed it."""
        if self.claim != claim or self.state not in ("claimed", "sending"):
            return self, None
        if self.overdue(now):
            return self.fail(claim, f"not sent in time: {error}", now)
        first, most = RETRY_SECONDS
        attempts = self.attempts if self.state == "sending" else self.attempts + 1
        due = now + timedelta(seconds=min(first * 2 ** min(attempts - 1, 20), most))
        later = replace(self, state="queued", claim=None, attempts=attempts, due_at=due, error=error, changed_at=now)
        return later, None

    def mark_in_doubt(self, claim: UUID | None, now: datetime) -> tuple["Mail", MailFailed | None]:
        """It may have been sent. The first time it is sent again; the second time it fails."""
        if self.claim != claim or self.state != "sending":
            return self, None
        if self.doubts >= MAX_DOUBTS:
            return self.fail(claim, "in doubt twice: it may have been delivered", now)
        doubted = replace(self, state="queued", claim=None, doubts=self.doubts + 1, due_at=now, changed_at=now)
        return doubted, None

    def fail(self, claim: UUID | None, error: str, now: datetime) -> tuple["Mail", MailFailed | None]:
        """It cannot be delivered. Changes nothing if another process has claimed it."""
        if self.claim != claim or self.state in FINAL_STATES:
            return self, None
        return self._undelivered("failed", error, now)

    def bounce(self, claim: UUID, error: str, now: datetime) -> tuple["Mail", MailFailed | None]:
        """Its address does not exist. Changes nothing if another process has claimed it."""
        mail, event = self.fail(claim, error, now)
        return (replace(mail, bounced=True) if event else mail), event

    def suppress(self, claim: UUID, reason: str, now: datetime) -> tuple["Mail", MailFailed | None]:
        """Not attempted: its address does not exist. Changes nothing if another process has claimed it."""
        if (self.claim, self.state) != (claim, "claimed"):
            return self, None
        return self._undelivered("suppressed", f"suppressed: {reason}", now)

    def mark_unwanted(self, claim: UUID, now: datetime) -> "Mail":
        """Not sent because the customer does not want it, which no other service needs to know."""
        if (self.claim, self.state) != (claim, "claimed"):
            return self
        return replace(self, state="unwanted", changed_at=now)

    def withhold(self) -> "Mail":
        """Entered by a replay that sends no mails, which no other service needs to know."""
        return replace(self, state="withheld")._ended()

    def anonymise(self, now: datetime) -> tuple["Mail", MailFailed | None]:
        """Its customer was erased: remove what it says and its address. If it is not sent yet, it never will be."""
        bare = replace(self, context={}, recipient=None, error=self.error and CUSTOMER_ERASED)
        return (bare, None) if self.state in FINAL_STATES else bare._undelivered("failed", CUSTOMER_ERASED, now)

    def resend(self, resend_id: UUID, recipient: str | None, now: datetime) -> "Mail":
        """Another mail with the same content; raise ``MailInProgress``, ``MailNotResendable`` or ``MailLinkExpired``.

        A mail about an account may open the account: it goes to nobody but the customer, and once it was sent, not
        again.
        """
        if self.state not in FINAL_STATES:
            raise MailInProgress(state=self.state)
        if self.template in ACCOUNT_TEMPLATES:
            self._require_resendable(recipient, now)
        elif not self.context:
            raise MailNotResendable
        mail = _new(resend_id, self.template, self.customer_id, self.order_id, self.context, now)
        return replace(mail, recipient=self.recipient_again(recipient), resend_of=self.id)

    def recipient_again(self, recipient: str | None) -> str | None:
        """Where it goes when it is sent again to ``recipient``: a mail about an account where it went before."""
        return self.recipient if self.template in ACCOUNT_TEMPLATES else recipient

    def _require_resendable(self, recipient: str | None, now: datetime) -> None:
        if recipient or self.state == "sent":
            raise MailNotResendable
        link = self.context.get("link")
        if link and datetime.fromisoformat(link["expires_at"]) <= now:
            raise MailLinkExpired

    def _ended(self) -> "Mail":
        """The confirmation of an erasure keeps the address no longer than it needs to, but why it was not sent."""
        return replace(self, context={}, recipient=None) if self.template == CONFIRMATION else self

    def _undelivered(self, state: State, error: str, now: datetime) -> tuple["Mail", MailFailed]:
        mail = replace(self, state=state, error=error, changed_at=now)._ended()
        return mail, MailFailed(
            mail_id=self.id,
            template=self.template,
            customer_id=self.customer_id,
            order_id=self.order_id,
            resend_of=self.resend_of,
            reason=error,
        )


def mail_id(template: Template, customer_id: UUID, key: str) -> UUID:
    """The id of the mail with this template to this customer; ``key`` is what it is about."""
    return uuid5(_NAMESPACE, f"{template} {customer_id} {key}")


def compose(
    template: Template, customer_id: UUID, key: str, order_id: UUID | None, context: dict[str, Any], now: datetime
) -> Mail:
    """A new mail, due at once."""
    return _new(mail_id(template, customer_id, key), template, customer_id, order_id, context, now)


def farewell(customer: Customer, now: datetime) -> Mail:
    """The confirmation of an erasure, to the address that the customer had; ``CONFIRMATION_VALIDITY`` limits it."""
    expires_at = (now + CONFIRMATION_VALIDITY).isoformat()
    context = {"locale": customer.locale, "expires_at": expires_at}
    return replace(compose(CONFIRMATION, customer.id, "", None, context, now), recipient=customer.email)


def resend_id(mail_id: UUID, staff_id: UUID, key: str) -> UUID:
    """The id of the mail that one request of staff, with this idempotency key, sends again."""
    return uuid5(_NAMESPACE, f"resend {mail_id} {staff_id} {key}")


def _new(
    mail_id: UUID,
    template: Template,
    customer_id: UUID,
    order_id: UUID | None,
    context: dict[str, Any],
    now: datetime,
) -> Mail:
    return Mail(mail_id, template, customer_id, order_id, context, "queued", None, 0, 0, now, None, now)
