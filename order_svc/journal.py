"""What an order's timeline says of its own events. Nothing that somebody has written freely: it may be personal."""

from dataclasses import dataclass
from typing import Any, Literal

from order_svc.domain import Order
from schemas import (
    AmendmentAccepted,
    AmendmentRefused,
    Event,
    OrderAmended,
    OrderRejected,
    OrderReturned,
    OrderShipped,
)


@dataclass(frozen=True, slots=True)
class Step:
    """What the saga of an order did: an entry of its timeline, and no event.

    ``given_up``: there was no answer about the stock in time. ``left_to_amendment``: the first revision was refused,
    and the amendment that waits decides for both. ``answer_ignored``: nobody waits for the answer any more.
    """

    did: Literal["asked_again", "given_up", "left_to_amendment", "answer_ignored"]
    by: Literal["deadline", "ops"] | None = None
    """Who had it done, where that can be one or the other."""

    @property
    def type(self) -> str:
        """The type of its entry."""
        return f"saga.{self.did}"

    @property
    def detail(self) -> dict[str, Any]:
        """The detail of its entry."""
        return {"by": self.by} if self.by else {}


def told(order: Order, event: Event) -> dict[str, Any]:
    """The detail of the entry about an event of an order."""
    detail: dict[str, Any] = {"state": order.state}
    if order.reason:
        detail["reason"] = order.reason
    if isinstance(event, OrderAmended | AmendmentAccepted | AmendmentRefused):
        detail["revision"] = event.revision
    if isinstance(event, OrderRejected | AmendmentRefused) and event.shortages:
        detail["shortages"] = [shortage.model_dump() for shortage in event.shortages]
    if isinstance(event, OrderShipped):
        detail |= {"carrier": event.carrier, "tracking_number": event.tracking_number, "complete": event.complete}
    if isinstance(event, OrderShipped | OrderReturned):
        detail["lines"] = [line.model_dump(include={"sku", "quantity"}) for line in event.lines]
    return detail
