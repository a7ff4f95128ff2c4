"""The REST bodies of returns and of requests to return something."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from chassis.http.bodies import RequestBody
from chassis.http.fields import VISIBLE, Prose
from order_svc.orders.dto import MAX_LINES, LineBodies, LineBody, as_quantities
from order_svc.returns.domain import ReturnedGoods

Reason = Annotated[Prose, Field(min_length=1, max_length=500, examples=["Broken on arrival."]), VISIBLE]
Note = Annotated[
    Prose, Field(min_length=1, max_length=500, examples=["Please use the label in the parcel."]), VISIBLE
]

RequestId = Annotated[UUID, Field(strict=False)]


class ReturnRequestBody(RequestBody):
    """Lines that the customer wants to return."""

    lines: LineBodies
    reason: Reason | None = None

    def quantities(self) -> dict[str, int]:
        """SKU → quantity."""
        return as_quantities(self.lines)


class AnswerBody(RequestBody):
    """What the customer reads about the answer, in the mail."""

    note: Note | None = None


class ReturnedLineBody(LineBody):
    """A quantity of one SKU that came back, and what becomes of it: it can be sold again, or it is scrapped."""

    disposition: Literal["restock", "scrap"] = "restock"


class ReturnBody(RequestBody):
    """Lines that came back, for an approved request or without one. The same SKU may occur with both dispositions."""

    lines: Annotated[list[ReturnedLineBody], Field(min_length=1, max_length=MAX_LINES)]
    reason: Reason | None = None
    request_id: Annotated[RequestId | None, Field(description="the approved request that they came back for")] = None

    def goods(self) -> ReturnedGoods:
        """All that came back, and what of it is scrapped."""
        scrapped = [line for line in self.lines if line.disposition == "scrap"]
        return ReturnedGoods(as_quantities(self.lines), as_quantities(scrapped), self.request_id)
