"""``Prefer: wait=5`` (RFC 7240) and ``?wait=5``: a response that waits until the order's stock is decided."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Header, Query
from pydantic import WithJsonSchema

from chassis.persistence.errors import DatabaseUnavailable
from order_svc.container import Database, Feed
from order_svc.errors import StreamLimitReached, TooManyStreams
from order_svc.orders.domain import Order
from order_svc.orders.queries import find_order

MOST_SECONDS = 30

Prefer = Annotated[
    list[str] | None,
    # It may be on several lines, which mean the same as one; the generators of clients know no lists in headers.
    WithJsonSchema({"type": "string", "examples": ["wait=5"]}),
    Header(
        description="`wait=5` (RFC 7240): respond when the order's stock is decided, or after so many seconds, 30 at"
        " most. `Preference-Applied` confirms it.",
    ),
]
Wait = Annotated[
    str | None,
    Query(
        pattern=r"^[0-9]{1,4}s?$",
        description="as `Prefer: wait=…`, over which it takes precedence: seconds, with or without an `s`",
        examples=["5"],
    ),
]


@dataclass(frozen=True, slots=True)
class WaitPreference:
    """How long a client wants to wait, in whole seconds; ``preferred``: it says so in the header ``Prefer``."""

    seconds: int
    preferred: bool

    @property
    def applied(self) -> dict[str, str]:
        """The headers that confirm it."""
        return {"Preference-Applied": f"wait={self.seconds}"} if self.preferred else {}


def wait_preference(prefer: Iterable[str] | None, wait: str | None) -> WaitPreference | None:
    """The preference of a request; None where it wants its response at once. A malformed preference is ignored."""
    seconds = wait.removesuffix("s") if wait else _preferred_seconds(prefer or ())
    limited = min(int(seconds or 0), MOST_SECONDS)
    return WaitPreference(limited, preferred=not wait) if limited else None


async def decided_order(
    feed: Feed, database: Database, order_id: UUID, account_id: UUID, preference: WaitPreference
) -> Order | None:
    """The order once it is no longer PENDING, or when the time is up; None where waiting is not possible now."""
    try:
        await feed.wait_while_pending(order_id, account_id, preference.seconds)
        return await find_order(database, order_id, account_id)
    except (TooManyStreams, StreamLimitReached, DatabaseUnavailable):
        # The order is placed, and a preference may be ignored.
        return None


def _preferred_seconds(prefer: Iterable[str]) -> str | None:
    """The first ``wait`` counts (RFC 7240 §2), if it is a number of seconds."""
    for preference in ",".join(prefer).split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        if name.strip().lower() == "wait":
            found = re.fullmatch(r'("?)([0-9]{1,9})\1', value.strip())
            return found and found[2]
    return None
