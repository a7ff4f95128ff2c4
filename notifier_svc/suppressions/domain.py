"""A suppressed address."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Suppression:
    """An address that a mail server reported not to exist; nothing is sent to it until staff remove this."""

    email: str
    mail_id: UUID
    """The mail that was refused; also the id of the suppression."""
    reason: str
    since: datetime
