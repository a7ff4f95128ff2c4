"""``Prefer: wait=5`` (RFC 7240) and ``?wait=5s``: an answer that waits until the order's stock is answered."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Header, Query

from chassis.persistence.errors import DatabaseUnavailable
from chassis.persistence.postgres.database import Postgres
from order_svc import queries
from order_svc.domain import Order
from order_svc.errors import TooManyFollowed, WatchFull
from order_svc.watch import Watch

MOST_SECONDS = 30

Prefer = Annotated[
    list[str] | None,
    Header(
        description="`wait=5` (RFC 7240): answer when the order's stock is answered, or after so many seconds, 30 at"
        " most. `Preference-Applied` says that it was done.",
        examples=[["wait=5"]],
    ),
]
Wait = Annotated[
    str | None,
    Query(pattern=r"^[0-9]{1,4}s$", description="as `Prefer: wait=…`, over which it stands", examples=["2s"]),
]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a client wants to wait, in whole seconds; ``preferred`` where the header ``Prefer`` says so."""

    seconds: int
    preferred: bool

    @property
    def applied(self) -> dict[str, str]:
        """The headers that say that it was done."""
        return {"Preference-Applied": f"wait={self.seconds}"} if self.preferred else {}


def patience(prefer: Iterable[str] | None, wait: str | None) -> Patience | None:
    """What a request asks for; None where it wants its answer at once. A preference that is none is passed over."""
    told = wait.removesuffix("s") if wait else _preferred(prefer or ())
    seconds = min(int(told or 0), MOST_SECONDS)
    return Patience(seconds, preferred=not wait) if seconds else None


async def settled(
    watch: Watch, database: Postgres, order_id: UUID, account_id: UUID, patience: Patience
) -> Order | None:
    """The order when it is not PENDING any more, or the time is up; None where it cannot be waited for now."""
    try:
        with watch.follow(order_id, account_id, patience.seconds) as follower:
            async for timeline in follower:
                if timeline.state != "PENDING":
                    break
        return await queries.order(database, order_id, account_id)
    except (TooManyFollowed, WatchFull, DatabaseUnavailable):
        # It is placed, and a preference can be passed over.
        return None


def _preferred(prefer: Iterable[str]) -> str | None:
    """The first ``wait`` counts (RFC 7240 §2), if it is a number of seconds."""
    for preference in ",".join(prefer).split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        if name.strip().lower() == "wait":
            found = re.fullmatch(r'("?)([0-9]{1,9})\1', value.strip())
            return found and found[2]
    return None
