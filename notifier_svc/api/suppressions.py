"""Addresses that nothing is sent to, since a mail server said that they do not exist."""

from uuid import UUID

from fastapi import Response, status

from chassis.http.auth import Staff
from chassis.http.errors import Forbidden, Unauthenticated
from chassis.http.headers import sends
from chassis.http.preconditions import IfMatch, PreconditionFailed, PreconditionRequired, etag, unchanged_since
from chassis.http.routing import new_router, problems
from notifier_svc import queries
from notifier_svc.api.needs import Before, Limit
from notifier_svc.commands import lift
from notifier_svc.container import Commit, Database
from notifier_svc.dto import SuppressionOut, SuppressionsOut, suppression_out
from notifier_svc.errors import SuppressionUnknown

router = new_router()

SUPPRESSION = "/v1/suppressions/{suppression_id}"


@router.get(
    "/v1/suppressions",
    tags=["suppressions"],
    summary="List the addresses that nothing is sent to",
    responses=problems(Unauthenticated, Forbidden),
)
async def list_suppressions(
    _staff: Staff, database: Database, before: Before = None, limit: Limit = 50
) -> SuppressionsOut:
    """The latest first. A page stays the same when others come in."""
    found, more = await queries.suppressed(database, before, limit)
    return SuppressionsOut(items=[suppression_out(one) for one in found], next=more)


@router.get(
    SUPPRESSION,
    tags=["suppressions"],
    summary="Read why nothing is sent to an address",
    responses=problems(Unauthenticated, Forbidden, SuppressionUnknown) | sends(200, "ETag"),
)
async def read_suppression(
    suppression_id: UUID, _staff: Staff, database: Database, response: Response
) -> SuppressionOut:
    """What the mail server said of it."""
    found = await queries.suppression(database, suppression_id)
    response.headers["ETag"] = etag(found.mail_id)
    return suppression_out(found)


@router.delete(
    SUPPRESSION,
    status_code=status.HTTP_204_NO_CONTENT,
    tags=["suppressions"],
    summary="Send to an address again",
    responses=problems(
        *(Unauthenticated, Forbidden, SuppressionUnknown, PreconditionFailed, PreconditionRequired),
    ),
)
async def lift_suppression(
    suppression_id: UUID, _staff: Staff, commit: Commit, database: Database, if_match: IfMatch = None
) -> None:
    """From now on. Mails that were suppressed meanwhile stay so, and can be sent again one by one."""
    found = await queries.suppression(database, suppression_id)
    unchanged_since(if_match, found.mail_id)
    await commit(lambda ledger: lift(ledger, found), wants=lambda ledger: ledger.suppressions.prefetch(found.email))
