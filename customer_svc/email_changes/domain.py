"""The rules of changing an e-mail address.

A thief who has the password and a session can change the address, which must not make the account theirs. The new
address has to be proved with a link first. The old one then gets a link that takes the account back, however often
its address was changed since.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from customer_svc.accounts.domain import Account
from customer_svc.errors import EmailUnchanged
from customer_svc.passwords.domain import set_password
from customer_svc.totp.domain import Totp
from schemas import EmailChanged, EmailChangeRequested, EmailChangeReverted, Event, MailedLink


def request_change(
    account: Account, email: str, change: MailedLink, *, taken: bool, now: datetime
) -> tuple[Account, EmailChangeRequested]:
    """Have a link mailed to the new address; if it is ``taken``, the mail says so, and nobody else learns it.

    Raise ``AccountDeactivated`` or ``EmailUnchanged``.
    """
    account.require_active()
    if email == account.email:
        raise EmailUnchanged
    event = EmailChangeRequested(customer_id=account.id, email=email, change=change, taken=taken)
    return account.next_version(now), event


def change_email(account: Account, email: str, revert: MailedLink, now: datetime) -> tuple[Account, EmailChanged]:
    """Put the proved address in the place of the old one, which ends all sessions and voids all other links."""
    event = EmailChanged(customer_id=account.id, email=email, old_email=account.email, revert=revert)
    return _with_email(account, email, now), event


def revert_change(account: Account, email: str, password_hash: str, now: datetime) -> Iterator[tuple[Account, Event]]:
    """Give the account its old address back, and a new password: the one who changed it knows the other."""
    reverted = EmailChangeReverted(customer_id=account.id, email=email, removed_email=account.email)
    account = _with_email(account, email, now)
    yield account, reverted
    yield set_password(account, password_hash, "reset", now)


def may_be_the_takers(totp: Totp, changed_at: datetime, period: timedelta) -> bool:
    """Whether one-time codes were set up so late that the one who changed the address may have done it.

    Older ones stay: they also keep out somebody who has got into the old mailbox.
    """
    return totp.created_at >= changed_at - period


def _with_email(account: Account, email: str, now: datetime) -> Account:
    return account.next_version(
        now,
        email=email,
        verified_at=now,
        warned_at=None,
        verification_requested_at=None,
        reset_requested_at=None,
        epoch=account.epoch + 1,
    )
