"""Mails and what is known of their fate.

    queued → claimed     a process has taken it up
    claimed → sending    it is about to hand the mail over
    sending → sent       the mail server has it
    any → queued         later again: refused for now, or the process vanished before handing it over
    sending → queued     in doubt: the process vanished, or no answer came, while it was handing it over
    any → failed         refused for good, or in doubt twice
    claimed → suppressed its address is on the list of those that do not exist
    claimed → unwanted   its customer has switched such mails off
    any → failed         its customer was erased: it is empty from then on, and never leaves

A mail in doubt may or may not have left: it is sent again once, under the same Message-ID, by which mail
stores recognise a copy. What has ended is sent again only by staff, as another mail.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal, get_args
from unicodedata import normalize
from uuid import UUID, uuid5

from notifier_svc.errors import NotEnded, NotResendable
from schemas import STAFF, MailFailed, MailSent

State = Literal["queued", "claimed", "sending", "sent", "failed", "suppressed", "unwanted"]
ENDED: frozenset[State] = frozenset({"sent", "failed", "suppressed", "unwanted"})
OrderTemplate = Literal[
    "receipt",
    "rejected",
    "cancelled",
    "order_amended",
    "amendment_refused",
    "shipped",
    "delivered",
    "return_received",
]
AccountTemplate = Literal["welcome", "verification", "registration_repeated", "password_reset", "password_changed"]
StaffTemplate = Literal["low_stock"]
Template = OrderTemplate | AccountTemplate | StaffTemplate
TEMPLATES: tuple[Template, ...] = get_args(OrderTemplate) + get_args(AccountTemplate) + get_args(StaffTemplate)
UPDATES: frozenset[Template] = frozenset({"shipped", "delivered"})
"""Mails that a customer can do without. All others the purchase itself calls for, or an account's safety."""

MAX_DOUBTS = 1
RETRY_SECONDS = (2.0, 300.0)
"""Pause after the first refusal, doubling up to the last."""

_LEDGER = UUID("6c8f6fd0-21f3-5d0a-8f0e-7f1f8a3e9b55")


@dataclass(frozen=True, slots=True)
class Customer:
    """Where to reach a customer: a copy, kept by the events of customer_svc."""

    id: UUID
    email: str
    name: str
    version: int
    locale: str | None = None
    """How to write to them, ``de`` or ``de-AT``; None where they have not said."""
    order_updates: bool = True
    """Whether they want mails that they can do without (``UPDATES``)."""

    @property
    def erased(self) -> bool:
        """Whether nothing is to be known of them any more."""
        return self.email == NOWHERE


@dataclass(frozen=True, slots=True)
class Suppression:
    """An address that does not exist, as a mail server said: nothing more is sent there until staff lift this."""

    email: str
    mail_id: UUID
    """The mail that was refused; also the id of this."""
    reason: str
    since: datetime


NOWHERE = "no address any more"
"""Stands where the address of an erased customer was: no mail goes there, and none waits for it."""
FORGOTTEN = "forgotten"
"""Why mails of an erased customer have not left, and what is kept of what was said about those that could not."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one customer about one thing; its id is made of these, so that it exists once."""

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
    """Where it goes, if not to the customer's own address."""
    resend_of: UUID | None = None
    """The mail that staff had sent once more by this one."""

    def unwanted_by(self, customer: Customer) -> bool:
        """Whether its customer does not want it; what staff send again is wanted."""
        return self.template in UPDATES and not customer.order_updates and self.resend_of is None

    def begin(self, claim: UUID, now: datetime) -> "Mail | None":
        """About to hand it over; None when another process has taken it up meanwhile."""
        if self.claim != claim or self.state not in ("claimed", "sending"):
            return None
        if self.state == "sending":
            # Said before, but the database went away before it could answer.
            return self
        return replace(self, state="sending", attempts=self.attempts + 1, changed_at=now)

    def delivered(self, now: datetime) -> tuple["Mail", MailSent] | None:
        """The mail server has it, whoever gave it to it; None when that is known."""
        if self.state == "sent":
            return None
        mail = replace(self, state="sent", error=None, changed_at=now)
        return mail, MailSent(
            mail_id=self.id,
            template=self.template,
            customer_id=self.customer_id,
            order_id=self.order_id,
            resend_of=self.resend_of,
        )

    def postpone(self, claim: UUID, error: str, now: datetime) -> "Mail":
        """It has not left; try again later. Changes nothing if another process has taken it up."""
        if self.claim != claim or self.state not in ("claimed", "sending"):
            return self
        first, most = RETRY_SECONDS
        tries = self.attempts if self.state == "sending" else self.attempts + 1
        due = now + timedelta(seconds=min(first * 2 ** min(tries - 1, 20), most))
        return replace(self, state="queued", claim=None, attempts=tries, due_at=due, error=error, changed_at=now)

    def doubt(self, claim: UUID | None, now: datetime) -> tuple["Mail", MailFailed | None]:
        """It may have left. Once, it is sent again; twice, it is left for people to look at."""
        if self.claim != claim or self.state != "sending":
            return self, None
        if self.doubts >= MAX_DOUBTS:
            return self.fail(claim, "in doubt twice: it may have been delivered", now)
        doubted = replace(self, state="queued", claim=None, doubts=self.doubts + 1, due_at=now, changed_at=now)
        return doubted, None

    def fail(self, claim: UUID | None, error: str, now: datetime) -> tuple["Mail", MailFailed | None]:
        """It cannot be delivered. Changes nothing if another process has taken it up."""
        if self.claim != claim or self.state in ENDED:
            return self, None
        return self._given_up("failed", error, now)

    def suppress(self, claim: UUID, reason: str, now: datetime) -> tuple["Mail", MailFailed | None]:
        """It is not even tried: its address does not exist. Changes nothing if another process has taken it up."""
        if (self.claim, self.state) != (claim, "claimed"):
            return self, None
        return self._given_up("suppressed", f"suppressed: {reason}", now)

    def decline(self, claim: UUID, now: datetime) -> "Mail":
        """It is not sent, and nobody need hear of that: it is not wanted."""
        if (self.claim, self.state) != (claim, "claimed"):
            return self
        return replace(self, state="unwanted", changed_at=now)

    def forget(self, now: datetime) -> tuple["Mail", MailFailed | None]:
        """Its customer was erased: neither what it says nor where it goes is kept. What has not left never will."""
        bare = replace(self, context={}, recipient=None, error=self.error and FORGOTTEN)
        return (bare, None) if self.state in ENDED else bare._given_up("failed", FORGOTTEN, now)

    def again(self, resend_id: UUID, recipient: str | None, now: datetime) -> "Mail":
        """The same, to be sent once more; raise ``NotEnded`` or ``NotResendable``.

        What is in a mail about an account may open it, and was about that moment: it goes to nobody else, nor later.
        """
        if self.template in get_args(AccountTemplate) or not self.context:
            raise NotResendable
        if self.state not in ENDED:
            raise NotEnded(state=self.state)
        made = Mail(resend_id, self.template, self.customer_id, self.order_id, self.context, *_NEW, now, None, now)
        return replace(made, recipient=recipient, resend_of=self.id)

    def _given_up(self, state: State, error: str, now: datetime) -> tuple["Mail", MailFailed]:
        mail = replace(self, state=state, error=error, changed_at=now)
        return mail, MailFailed(
            mail_id=self.id,
            template=self.template,
            customer_id=self.customer_id,
            order_id=self.order_id,
            resend_of=self.resend_of,
            reason=error,
        )


_NEW: tuple[State, None, int, int] = ("queued", None, 0, 0)
"""State, claim, attempts and doubts of a mail that nobody has had in hand."""


def mail_id(template: Template, customer_id: UUID, key: str) -> UUID:
    """The id of the mail with this template to this customer about this thing."""
    return uuid5(_LEDGER, f"{template} {customer_id} {key}")


def compose(
    template: Template, customer_id: UUID, key: str, order_id: UUID | None, context: dict[str, Any], now: datetime
) -> Mail:
    """A mail to be sent."""
    made = mail_id(template, customer_id, key)
    return Mail(made, template, customer_id, order_id, context, *_NEW, now, None, now)


def resend_id(mail_id: UUID, staff_id: UUID, key: str) -> UUID:
    """The id of the mail that sends this one again, at one request of one of the staff."""
    return uuid5(_LEDGER, f"resend {mail_id} {staff_id} {key}")


def staff(email: str, locale: str) -> Customer:
    """Whoever hears what staff should: in the ledger a customer like others."""
    return Customer(STAFF, normalised(email), "Staff", 1, locale)


def normalised(email: str) -> str:
    """One spelling per mailbox, the same as customer_svc's: what is suppressed has to be found again."""
    return normalize("NFC", email.strip().lower())
