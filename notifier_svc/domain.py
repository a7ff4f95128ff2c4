"""Mails and what is known of their fate.

    queued → claimed     a process has taken it up
    claimed → sending    it is about to hand the mail over
    sending → sent       the mail server has it
    any → queued         later again: refused for now, or the process vanished before handing it over
    sending → queued     in doubt: the process vanished, or no answer came, while it was handing it over
    any → failed         refused for good, or in doubt twice

A mail in doubt may or may not have left: it is sent again once, under the same Message-ID, by which mail
stores recognise a copy.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal, get_args
from uuid import UUID, uuid5

from schemas import MailFailed, MailSent

State = Literal["queued", "claimed", "sending", "sent", "failed"]
OrderTemplate = Literal["receipt", "rejected", "cancelled"]
AccountTemplate = Literal["welcome", "verification", "registration_repeated", "password_reset", "password_changed"]
Template = OrderTemplate | AccountTemplate
TEMPLATES: tuple[Template, ...] = get_args(OrderTemplate) + get_args(AccountTemplate)

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


NOWHERE = "no address any more"
"""Stands where the address of an erased customer was: no mail goes there, and none waits for it."""


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
            mail_id=self.id, template=self.template, customer_id=self.customer_id, order_id=self.order_id
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
        if self.claim != claim or self.state in ("sent", "failed"):
            return self, None
        mail = replace(self, state="failed", error=error, changed_at=now)
        return mail, MailFailed(
            mail_id=self.id,
            template=self.template,
            customer_id=self.customer_id,
            order_id=self.order_id,
            reason=error,
        )


def mail_id(template: Template, customer_id: UUID, key: str) -> UUID:
    """The id of the mail with this template to this customer about this thing."""
    return uuid5(_LEDGER, f"{template} {customer_id} {key}")


def compose(
    template: Template, customer_id: UUID, key: str, order_id: UUID | None, context: dict[str, Any], now: datetime
) -> Mail:
    """A mail to be sent."""
    made = mail_id(template, customer_id, key)
    return Mail(made, template, customer_id, order_id, context, "queued", None, 0, 0, now, None, now)
