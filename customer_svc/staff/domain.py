"""Accounts of staff."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from customer_svc.accounts.domain import Account, normalised_email

StaffRole = Literal["staff", "ops"]


def new_staff_account(
    account_id: UUID, email: str, name: str, password_hash: str, role: StaffRole, now: datetime
) -> Account:
    """A new account; its e-mail address counts as verified, because a colleague entered it."""
    return Account(account_id, normalised_email(email), name, password_hash, role, 1, now, verified_at=now)
