"""Accounts of staff and ops."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from chassis.email_address import normalised_email
from customer_svc.accounts.domain import Account
from customer_svc.errors import AlreadyActive, AlreadyDeactivated, LastOpsAccount

StaffRole = Literal["staff", "ops"]
STAFF_ROLES: tuple[StaffRole, ...] = ("staff", "ops")


def new_staff_account(
    account_id: UUID, email: str, name: str, password_hash: str, role: StaffRole, now: datetime
) -> Account:
    """A new account; its e-mail address counts as verified, because a colleague entered it."""
    return Account(account_id, normalised_email(email), name, password_hash, role, 1, now, verified_at=now)


def deactivate_staff(account: Account, ops: Sequence[Account], now: datetime) -> Account:
    """Keep somebody from logging in, and end their sessions; ``ops`` are all accounts of ops.

    Raise ``AlreadyDeactivated``, or ``LastOpsAccount``: nobody could reactivate it.
    """
    if account.deactivated_by:
        raise AlreadyDeactivated
    others = [one for one in ops if one.id != account.id and not one.deactivated_by]
    if account.role == "ops" and not others:
        raise LastOpsAccount
    return account.next_version(now, deactivated_by="ops", epoch=account.epoch + 1)


def reactivate_staff(account: Account, now: datetime) -> Account:
    """Let somebody log in again; raise ``AlreadyActive``."""
    if account.deactivated_by is None:
        raise AlreadyActive
    return account.next_version(now, deactivated_by=None)
