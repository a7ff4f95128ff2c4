"""The rules of changing and resetting passwords."""

from datetime import datetime
from typing import Literal

from customer_svc.accounts.domain import MAIL_INTERVAL, Account, is_recent
from schemas import MailedLink, PasswordChanged, PasswordResetRequested


def set_password(
    account: Account, password_hash: str, how: Literal["changed", "reset"], now: datetime
) -> tuple[Account, PasswordChanged]:
    """Set another password, which ends all sessions."""
    changed = account.next_version(now, password_hash=password_hash, epoch=account.epoch + 1)
    return changed, PasswordChanged(customer_id=account.id, how=how)


def request_reset(
    account: Account, reset: MailedLink, now: datetime
) -> tuple[Account, PasswordResetRequested] | None:
    """Have a link mailed that resets the password; None if one was requested a moment ago."""
    if is_recent(account.reset_requested_at, now, MAIL_INTERVAL):
        return None
    event = PasswordResetRequested(customer_id=account.id, reset=reset)
    return account.next_version(now, reset_requested_at=now), event
