"""The suppressions API, for staff."""

from uuid import UUID

from fastapi import Response, status

from chassis.http.access_log import log_access
from chassis.http.auth import Staff
from chassis.http.errors import Forbidden, Unauthenticated
from chassis.http.headers import sends
from chassis.http.paging import PageSize, PositionCursor
from chassis.http.preconditions import IfMatch, PreconditionFailed, PreconditionRequired, etag, unchanged_since
from chassis.http.routing import new_router, problems
from notifier_svc.container import Commit, Database
from notifier_svc.errors import SuppressionNotFound
from notifier_svc.suppressions import queries
from notifier_svc.suppressions.commands import UnsuppressAddress
from notifier_svc.suppressions.dto import SuppressionOut, SuppressionsOut, suppression_out

router = new_router()

SUPPRESSION = "/v1/suppressions/{suppression_id}"


@router.get(
    "/v1/suppressions",
    tags=["suppressions"],
    summary="List suppressed addresses",
    responses=problems(Unauthenticated, Forbidden),
)
async def list_suppressions(
    staff: Staff, database: Database, cursor: PositionCursor = None, limit: PageSize = 50
) -> SuppressionsOut:
    """Newest first. New suppressions do not change the pages that follow."""
    found, next_position = await queries.list_suppressions(database, cursor, limit)
    log_access(staff, "suppression.list")
    return SuppressionsOut(items=[suppression_out(one) for one in found], next=next_position)


@router.get(
    SUPPRESSION,
    tags=["suppressions"],
    summary="Read a suppressed address",
    responses=problems(Unauthenticated, Forbidden, SuppressionNotFound) | sends(200, "ETag"),
)
async def read_suppression(
    suppression_id: UUID, staff: Staff, database: Database, response: Response
) -> SuppressionOut:
    """The address, and what the mail server replied when a mail was last sent to it."""
    found = await queries.get_suppression(database, suppression_id)
    log_access(staff, "suppression.read", suppression_id)
    response.headers["ETag"] = etag(found.mail_id)
    return suppression_out(found)


@router.delete(
    SUPPRESSION,
    status_code=status.HTTP_204_NO_CONTENT,
    tags=["suppressions"],
    summary="Send to an address again",
    responses=problems(
        *(Unauthenticated, Forbidden, PreconditionFailed, PreconditionRequired, *UnsuppressAddress.errors),
    ),
)
async def delete_suppression(
    suppression_id: UUID, staff: Staff, commit: Commit, database: Database, if_match: IfMatch = None
) -> None:
    """Applies to future mails. Mails that were suppressed in the meantime stay so; each can be sent again."""
    found = await queries.get_suppression(database, suppression_id)
    unchanged_since(if_match, found.mail_id)
    await commit(UnsuppressAddress(found))
    log_access(staff, "suppression.remove", suppression_id)
