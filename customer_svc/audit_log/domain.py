"""An entry of the audit log, and the actions that are recorded."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

Action = Literal[
    "session.open",
    "session.end",
    "session.end_all",
    "session.token_reused",
    "password.change",
    "password.reset",
    "totp.enrol",
    "totp.confirm",
    "totp.remove",
    "account.deactivate",
    "account.reactivate",
    "account.erase",
    "account.read",
    "account.list",
    "account.find",
    "address.change",
    "email.verify",
    "email.change_request",
    "email.change",
    "email.revert",
    "staff.list",
    "staff.appoint",
    "staff.deactivate",
    "staff.reactivate",
]
"""What is recorded. ``email.verify`` and ``email.revert`` may set a password; ``address`` is a postal address."""
Outcome = Literal["granted", "refused"]


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Something that somebody did, or was not allowed to do."""

    action: Action
    outcome: Outcome
    reason: str = ""
    """The code of the error, of what was refused."""
    actor: UUID | None = None
    """The account that did it; None if the client was not authenticated."""
    role: str | None = None
    """The actor's role."""
    subject: UUID | None = None
    """The account that it was about, if it is not the actor's own."""
    source: str = ""
    """The network that the request came from: an IPv4 address, or a /64 of IPv6."""
    request_id: str = ""
    why: str | None = None
    """The reason that ops gave."""
    position: int = 0
    at: datetime | None = None
