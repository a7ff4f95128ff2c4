"""What a trace can be asked for by: the id of an order, a customer or an event, a trace id, an e-mail address."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from ops.errors import CannotDo

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# The trace id of W3C Trace Context (§3.2.2.3), alone or in a traceparent.
_TRACE_ID = re.compile(r"(?:[0-9a-f]{2}-)?([0-9a-f]{32})(?:-[0-9a-f]{16}-[0-9a-f]{2})?")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")


@dataclass(frozen=True, slots=True)
class Key:
    """A key, and what it looks like. An ``id`` can be that of an order, a customer or an event."""

    kind: Literal["id", "trace_id", "email"]
    value: str

    @property
    def id(self) -> UUID:
        """The id."""
        return UUID(self.value)


def parse_key(text: str) -> Key:
    """The key that somebody has typed; raise ``CannotDo``."""
    text = text.strip()
    if _ID.fullmatch(text):
        return Key("id", text.lower())
    if found := _TRACE_ID.fullmatch(text.lower()):
        return Key("trace_id", found[1])
    if _EMAIL.fullmatch(text):
        return Key("email", text)
    # Not quoted: it may be somebody's name or address.
    raise CannotDo(
        "this is neither the id of an order, a customer or an event, nor a trace id (32 hex digits), nor an e-mail"
        " address"
    )


def time_of(id: UUID) -> datetime | None:
    """When a UUIDv7 was made (RFC 9562 §5.7); None for other ids."""
    return datetime.fromtimestamp((id.int >> 80) / 1000, UTC) if id.version == 7 else None
