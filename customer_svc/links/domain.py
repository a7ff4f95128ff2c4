"""Links in mails: each can be used once, until it expires."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

from pydantic import SecretStr

from chassis.link_tokens import Purpose, link_token
from schemas import MailedLink

VALIDITY: dict[Purpose, timedelta] = {
    "verify": timedelta(days=2),
    "reset": timedelta(minutes=30),
    "change": timedelta(days=1),
}
"""How long links are valid; those that revert something as long as their maker says."""

EPOCH_BOUND: Collection[Purpose] = ("reset", "change")
"""Links that cannot be used once the account's epoch is over: a thief may have requested one."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link that was mailed. Only the hash of its token is stored."""

    token_hash: str
    id: UUID
    account_id: UUID
    purpose: Purpose
    expires_at: datetime
    epoch: int
    """The account's epoch when the link was made."""
    used_at: datetime | None = None
    email: str | None = None
    """The address that it changes the account's to, or back to."""

    @property
    def made_at(self) -> datetime:
        """When it was made, however long it is valid: its id is a UUIDv7 (RFC 9562 §5.7)."""
        return datetime.fromtimestamp((self.id.int >> 80) / 1000, UTC)

    @property
    def mailed(self) -> MailedLink:
        """The link as events contain it."""
        return MailedLink(link_id=self.id, expires_at=self.expires_at)

    def use(self, purpose: Purpose, now: datetime) -> "Link | None":
        """The used link; None if it cannot be used, or not for this purpose."""
        if self.purpose != purpose or self.used_at or now >= self.expires_at:
            return None
        return replace(self, used_at=now)


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link that does not belong to an account yet."""

    id: UUID
    token_hash: str

    def issue(
        self,
        account_id: UUID,
        purpose: Purpose,
        now: datetime,
        epoch: int = 0,
        *,
        email: str | None = None,
        validity: timedelta | None = None,
    ) -> Link:
        """The link for an account."""
        expires_at = now + (validity or VALIDITY[purpose])
        return Link(self.token_hash, self.id, account_id, purpose, expires_at, epoch, email=email)


@dataclass(frozen=True, slots=True)
class VoidedLinks:
    """Links that nobody can use any more: those of an account and a purpose, since an epoch."""

    account_id: UUID
    purpose: Purpose
    since_epoch: int


def new_link(link_id: UUID, purpose: Purpose, key: SecretStr) -> NewLink:
    """A link with this id. Its token is not kept: the service that sends the mail derives it from the id again."""
    return NewLink(link_id, hash_token(link_token(key, purpose, link_id)))


def hash_token(token: str) -> str:
    """What is stored of a token. A token has 256 random bits, so a slow hash would not protect it better."""
    return sha256(token.encode()).hexdigest()
