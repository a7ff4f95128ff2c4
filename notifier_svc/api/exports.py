"""The route of whoever takes everything along: customer_svc asks it in a customer's name, for their export."""

from typing import Annotated

from fastapi import Query

from chassis.http.auth import Customer
from chassis.http.errors import Forbidden, Unauthenticated
from chassis.http.routing import new_router, problems
from notifier_svc import queries
from notifier_svc.api.needs import Before
from notifier_svc.container import Database, Reads
from notifier_svc.dto import LettersOut, letter_out
from notifier_svc.queries import Sought

router = new_router()


@router.get(
    "/v1/exports/notifications",
    tags=["exports"],
    summary="Export one's mails",
    responses=problems(Unauthenticated, Forbidden),
)
async def export_notifications(
    principal: Customer,
    database: Database,
    readings: Reads,
    before: Before = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> LettersOut:
    """One's own mails, newest first, each with what it says: all that the service has, in few requests.

    `GET /v1/customers/me/export` of the customer service has it together with all the rest.
    """
    found, more = await queries.notifications(database, Sought(principal.id), before, limit)
    customer = await queries.customer(database, principal.id)
    return LettersOut(items=[letter_out(mail, readings.of(mail, customer)) for mail in found], next=more)
