"""Sessions: each is a family of refresh tokens, which can be used once and are replaced when they are.

A token that is used a second time was stolen, either by the client that uses it now or by the one that used it
before. The service cannot know which, so the whole session ends (RFC 9700 §4.14.2).
"""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from customer_svc.accounts.domain import Account


@dataclass(frozen=True, slots=True)
class Session:
    """A log-in and everything that was refreshed from it."""

    id: UUID
    account_id: UUID
    epoch: int
    """The account's epoch when the session began; a new epoch ends all sessions of the account at once."""
    began_at: datetime
    ends_at: datetime
    ended_at: datetime | None = None

    def seconds_left(self, now: datetime) -> int:
        """How long it can still be refreshed."""
        return max(0, int((self.ends_at - now).total_seconds()))

    def is_over(self, account: Account, now: datetime) -> bool:
        """Whether it can no longer be refreshed."""
        ended = self.ended_at is not None or now >= self.ends_at or self.epoch != account.epoch
        # Sessions from before log-ins required a verified address.
        return ended or account.verified_at is None

    def end(self, now: datetime) -> "Session":
        """The session after a log-out, or after a token was used twice."""
        return self if self.ended_at else replace(self, ended_at=now)


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token of a session. Only its hash is stored."""

    token_hash: str
    session_id: UUID
    account_id: UUID
    issued_at: datetime
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TokenOwner:
    """The session and the account that a refresh token belongs to; they never change."""

    session_id: UUID
    account_id: UUID
    token_hash: str
