"""Who was erased. Pure."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ErasedCustomer:
    """A customer who was erased: the orders stay, without personal data."""

    customer_id: UUID
    erased_at: datetime
