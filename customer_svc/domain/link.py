"""Links in mails: each can be used once, and not for long."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from chassis.link_tokens import Purpose
from schemas import MailedLink

GOOD_FOR: dict[Purpose, timedelta] = {"verify": timedelta(days=2), "reset": timedelta(minutes=30)}


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link that is about to be mailed."""

    id: UUID
    token_hash: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link that was mailed. Only the hash of its token is kept."""

    token_hash: str
    id: UUID
    account_id: UUID
    purpose: Purpose
    expires_at: datetime
    epoch: int
    """That of the account when it was made."""
    used_at: datetime | None = None

    @property
    def mailed(self) -> MailedLink:
        """What an event says of it."""
        return MailedLink(link_id=self.id, expires_at=self.expires_at)

    def use(self, purpose: Purpose, now: datetime) -> "Link | None":
        """Used up; None where it cannot be used, or not for this."""
        if self.purpose != purpose or self.used_at or now >= self.expires_at:
            return None
        return replace(self, used_at=now)


def made(new: NewLink, account_id: UUID, purpose: Purpose, now: datetime, epoch: int = 0) -> Link:
    """The link as it is kept."""
    return Link(new.token_hash, new.id, account_id, purpose, now + GOOD_FOR[purpose], epoch)


def hashed(token: str) -> str:
    """What is kept of a token. It is 256 random bits: a slow hash would protect it no better."""
    return sha256(token.encode()).hexdigest()
