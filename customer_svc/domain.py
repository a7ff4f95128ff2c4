"""What an account is, and the rules it keeps."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from unicodedata import normalize
from uuid import UUID

from schemas import CustomerRegistered

Role = Literal["customer", "staff", "ops"]


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who can log in: a customer, or one of us."""

    id: UUID
    email: str
    name: str
    password_hash: str
    role: Role
    version: int
    changed_at: datetime


def normalised(email: str) -> str:
    """One spelling per mailbox: mail providers ignore case, and so do people."""
    # Not casefold(): it makes ss of ß, and that is somebody else's mailbox.
    return normalize("NFC", email.strip().lower())


def register(
    account_id: UUID, email: str, name: str, password_hash: str, now: datetime
) -> tuple[Account, CustomerRegistered]:
    """A new customer."""
    account = Account(account_id, normalised(email), name, password_hash, "customer", 1, now)
    return account, CustomerRegistered(customer_id=account_id, email=account.email, name=name)
