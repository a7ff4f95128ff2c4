"""What can be done in notifier_svc. Each function decides inside a transaction that it neither opens nor ends."""

from dataclasses import replace
from uuid import UUID

from chassis.http.errors import IdempotencyKeyReused
from notifier_svc import SERVICE
from notifier_svc.domain import NOWHERE, Customer, Mail, Suppression
from notifier_svc.errors import NotificationUnknown, NotResendable, SuppressionUnknown
from notifier_svc.store import Ledger
from schemas import MailFailed, MailsAnonymised, answer_id


def learn_customer(ledger: Ledger, customer: Customer) -> None:
    """Keep our copy of an address; what is older than the copy changes nothing."""
    known = ledger.customers.get(customer.id)
    if known is None or known.version < customer.version:
        ledger.customers.set(customer.id, customer)


def appoint_staff(ledger: Ledger, staff: Customer) -> None:
    """Keep where staff want to be written to: settings know it, and may change."""
    known = ledger.customers.get(staff.id)
    if known is None or replace(known, version=staff.version) != staff:
        version = known.version + 1 if known else staff.version
        ledger.customers.set(staff.id, replace(staff, version=version))


def change_profile(
    ledger: Ledger, customer_id: UUID, name: str, locale: str, order_updates: bool, version: int
) -> None:
    """Keep how, and how often, a customer wants to be written to; ``LookupError`` for one that nobody told us of.

    The events of a customer come in order, so that this one came too early only if an earlier one was set aside.
    """
    known = ledger.customers.get(customer_id)
    if known is None:
        raise LookupError(f"customer {customer_id} has changed and was never heard of")
    if not known.erased:
        wishes = replace(known, name=name, locale=locale, order_updates=order_updates, version=version)
        learn_customer(ledger, wishes)


def forget_customer(ledger: Ledger, customer_id: UUID, version: int) -> None:
    """Keep which mails there were, without to whom and what about, and tell so; what has not left never will."""
    known = ledger.customers.get(customer_id)
    if known is None or known.version < version:
        nobody = Customer(customer_id, NOWHERE, "", version)
        ledger.customers.set(customer_id, nobody)
        ledger.forgotten.add(known or nobody)
        ledger.redactions.add(customer_id)
        for mail in ledger.mails.present:
            if mail.customer_id == customer_id:
                _end(ledger, mail.id, mail.forget(ledger.now))
        done = MailsAnonymised(answer_id=answer_id(SERVICE, customer_id), customer_id=customer_id)
        ledger.emit(done, 1, ledger.now)


def queue_mail(ledger: Ledger, mail: Mail) -> None:
    """Enter a mail in the ledger; one that is there already is not sent again.

    It waits there until its customer is known. One to a customer who was erased is entered as forgotten.
    """
    if ledger.mails.get(mail.id) is None:
        outcome = mail.forget(ledger.now) if _erased(ledger, mail.customer_id) else (mail, None)
        _end(ledger, mail.id, outcome)


def begin_sending(ledger: Ledger, mail_id: UUID, claim: UUID) -> bool:
    """Note that a mail is about to be handed over; False when it is in other hands now."""
    begun = _mail(ledger, mail_id).begin(claim, ledger.now)
    if begun:
        ledger.mails.set(mail_id, begun)
    return begun is not None


def mark_sent(ledger: Ledger, mail_id: UUID) -> None:
    """Note that the mail server has taken a mail over."""
    before = _mail(ledger, mail_id)
    if delivered := before.delivered(ledger.now):
        mail, event = delivered
        ledger.mails.set(mail_id, mail)
        # Given up as doubtful, or suppressed, it was told of as failed; the answer may come after all.
        ledger.emit(event, 2 if before.state in ("failed", "suppressed") else 1, mail.changed_at)


def postpone(ledger: Ledger, mail_id: UUID, claim: UUID, error: str) -> None:
    """Note that a mail has not left, and is to be tried later."""
    ledger.mails.set(mail_id, _mail(ledger, mail_id).postpone(claim, error, ledger.now))


def mark_doubtful(ledger: Ledger, mail_id: UUID, claim: UUID | None) -> None:
    """Note that nobody can know whether a mail has left."""
    _end(ledger, mail_id, _mail(ledger, mail_id).doubt(claim, ledger.now))


def take_back(ledger: Ledger, mail_id: UUID, claim: UUID) -> bool:
    """Take a mail out of the hands that let its lease lapse; True if it is in doubt now.

    What counts is how far it has come by now: since it was found lapsed, a process that had only hung may
    have begun to hand it over.
    """
    mail = _mail(ledger, mail_id)
    doubtful = (mail.state, mail.claim) == ("sending", claim)
    if doubtful:
        mark_doubtful(ledger, mail_id, claim)
    else:
        postpone(ledger, mail_id, claim, "lapsed")
    return doubtful


def mark_failed(ledger: Ledger, mail_id: UUID, claim: UUID | None, error: str) -> None:
    """Note that a mail cannot be delivered."""
    _end(ledger, mail_id, _mail(ledger, mail_id).fail(claim, error, ledger.now))


def bounce(ledger: Ledger, mail_id: UUID, claim: UUID, customer: Customer, error: str) -> None:
    """Note that the address of a mail does not exist: neither this mail can be delivered nor any other to it."""
    mark_failed(ledger, mail_id, claim, error)
    if not _erased(ledger, customer.id) and ledger.suppressions.get(customer.email) is None:
        ledger.suppressions.set(customer.email, Suppression(customer.email, mail_id, error, ledger.now))


def mark_suppressed(ledger: Ledger, mail_id: UUID, claim: UUID, reason: str) -> None:
    """Note that a mail is not tried, since its address is known not to exist."""
    _end(ledger, mail_id, _mail(ledger, mail_id).suppress(claim, reason, ledger.now))


def mark_unwanted(ledger: Ledger, mail_id: UUID, claim: UUID) -> None:
    """Note that a mail is not sent, since its customer does not want such mails."""
    ledger.mails.set(mail_id, _mail(ledger, mail_id).decline(claim, ledger.now))


def resend(ledger: Ledger, mail_id: UUID, resend_id: UUID, recipient: str | None) -> tuple[Mail, bool]:
    """Enter a mail that has ended once more, to another address if there is one; and whether that was done before.

    Raise ``NotificationUnknown``, ``NotEnded``, ``NotResendable``; ``IdempotencyKeyReused`` if it was done to another address.
    """
    if made := ledger.mails.get(resend_id):
        if made.recipient != recipient:
            raise IdempotencyKeyReused
        return made, True
    original = ledger.mails.get(mail_id)
    if original is None:
        raise NotificationUnknown
    if _erased(ledger, original.customer_id):
        raise NotResendable
    made = original.again(resend_id, recipient, ledger.now)
    ledger.mails.set(resend_id, made)
    return made, False


def lift(ledger: Ledger, suppression: Suppression) -> None:
    """Try an address again from now on; raise ``SuppressionUnknown`` where it is not suppressed for that any more."""
    known = ledger.suppressions.get(suppression.email)
    if known is None or known.mail_id != suppression.mail_id:
        raise SuppressionUnknown
    ledger.suppressions.set(suppression.email, None)


def _mail(ledger: Ledger, mail_id: UUID) -> Mail:
    mail = ledger.mails.get(mail_id)
    if mail is None:
        raise LookupError(f"mail {mail_id} is not in the ledger")
    return mail


def _erased(ledger: Ledger, customer_id: UUID) -> bool:
    known = ledger.customers.get(customer_id)
    return known is not None and known.erased


def _end(ledger: Ledger, mail_id: UUID, outcome: tuple[Mail, MailFailed | None]) -> None:
    mail, event = outcome
    ledger.mails.set(mail_id, mail)
    if event:
        ledger.emit(event, 1, mail.changed_at)
