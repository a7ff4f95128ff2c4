"""The bodies of the suppressions API."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from chassis.http.bodies import ResponseBody
from chassis.http.paging import Page
from notifier_svc.suppressions.domain import Suppression


class SuppressionOut(ResponseBody):
    """An address that nothing is sent to. ``id`` is the id of the mail that was refused."""

    id: UUID
    email: Annotated[str, Field(examples=["ada@example.com"])]
    reason: Annotated[str, Field(description="the reply of the mail server", examples=["550 5.1.1 no such mailbox"])]
    since: datetime


class SuppressionsOut(Page[SuppressionOut, int]):
    """A page of suppressions, newest first; ``next`` is the ``cursor`` of the next page, if there is one."""

    next: Annotated[int | None, Field(examples=[1234])]


def suppression_out(suppression: Suppression) -> SuppressionOut:
    """A suppression as staff see it."""
    return SuppressionOut(
        id=suppression.mail_id, email=suppression.email, reason=suppression.reason, since=suppression.since
    )
