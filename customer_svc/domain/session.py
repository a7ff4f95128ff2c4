"""Sessions: a family of refresh tokens, of which each can be used once and brings the next.

A token that comes a second time was stolen, from whoever uses it now or from whoever used it before; nobody can
tell, so the whole family ends (RFC 9700 §4.14.2).
"""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from customer_svc.domain.account import Account


@dataclass(frozen=True, slots=True)
class Session:
    """A log-in and everything that was refreshed from it."""

    id: UUID
    account_id: UUID
    epoch: int
    """That of the account when it began: what raises it ends all sessions of the account at once."""
    began_at: datetime
    ends_at: datetime
    ended_at: datetime | None = None

    def seconds_left(self, now: datetime) -> int:
        """How long it can still be refreshed."""
        return max(0, int((self.ends_at - now).total_seconds()))

    def over(self, account: Account, now: datetime) -> bool:
        """Nothing can be refreshed in it any more."""
        return self.ended_at is not None or now >= self.ends_at or self.epoch != account.epoch

    def end(self, now: datetime) -> "Session":
        """Logged out, or a token came twice."""
        return self if self.ended_at else replace(self, ended_at=now)


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """One token of a session. Only its hash is kept."""

    token_hash: str
    session_id: UUID
    account_id: UUID
    made_at: datetime
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Family:
    """Where a refresh token belongs; that never changes."""

    session_id: UUID
    account_id: UUID
    token_hash: str
