"""What becomes of a customer who wants to be forgotten: who has confirmed it, and who has not yet."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

Part = Literal["orders", "mails"]


@dataclass(frozen=True, slots=True)
class Erasure:
    """All that is left of an account: its id, how many events told of it, and how far its erasure has come.

    Whoever knows ``id``, which is random, may see the progress: there is no account left to log in to.
    """

    customer_id: UUID
    id: UUID
    version: int
    changed_at: datetime
    """When the account vanished; with the version, the end of its history."""
    orders_at: datetime | None = None
    mails_at: datetime | None = None

    def confirm(self, part: Part, at: datetime) -> "Erasure":
        """A service has done its part; it counts once."""
        if part == "orders":
            return self if self.orders_at else replace(self, orders_at=at)
        return self if self.mails_at else replace(self, mails_at=at)

    @property
    def done(self) -> bool:
        """Everybody has confirmed."""
        return self.orders_at is not None and self.mails_at is not None
