"""What notifier_svc knows of an order, or of a customer: the mails. Its part of a trace."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import sqlalchemy as sa
from pydantic import Field

from chassis.http.bodies import ResponseBody
from chassis.http.examples import ID, MOMENT
from chassis.http.trace_routes import TracePart
from chassis.persistence.postgres.database import Postgres
from notifier_svc.mails.domain import State
from notifier_svc.mails.store import mails
from notifier_svc.rendering.domain import Template

MOST_MAILS = 100


class TracedMailOut(ResponseBody):
    """A mail and how far it has come; neither its address nor what it says."""

    id: UUID
    template: Template
    order_id: UUID | None
    state: State
    attempts: Annotated[int, Field(examples=[1])]
    doubts: Annotated[int, Field(description="how often it was unknown whether the mail was sent", examples=[0])]
    resend_of: Annotated[UUID | None, Field(description="the mail that staff sent again with this one")]
    due_at: Annotated[datetime, Field(description="when it was to be sent, or is to be sent again")]
    changed_at: datetime


_MAIL = {
    **{"id": ID, "template": "receipt", "order_id": ID, "state": "sent", "attempts": 1, "doubts": 0},
    **{"resend_of": ID, "due_at": MOMENT, "changed_at": MOMENT},
}


class MailTraceOut(ResponseBody):
    """The mails about the order with this id, or to the customer with this id, the newest first."""

    key: UUID
    mails: Annotated[list[TracedMailOut], Field(examples=[[_MAIL]])]


_COLUMNS = [mails.c[name] for name in TracedMailOut.model_fields]


async def mail_trace(database: Postgres, key: UUID, customer_id: UUID | None) -> MailTraceOut:
    """The mails that a key stands for.

    No index finds the mails about an order: every mail would have to write to it at each of its changes. Those to a
    customer are found by one, so this looks for the order last, and only among them if the customer is known.
    """
    about_order = mails.c.order_id == key
    if customer_id:
        found = await _mails(database, sa.and_(mails.c.customer_id == customer_id, about_order))
    else:
        found = await _mails(database, mails.c.customer_id == key) or await _mails(database, about_order)
    return MailTraceOut(key=key, mails=found)


async def _mails(database: Postgres, condition: sa.ColumnElement[bool]) -> list[TracedMailOut]:
    query = sa.select(*_COLUMNS).where(condition).order_by(mails.c.position.desc()).limit(MOST_MAILS)
    async with database.reading() as connection:
        return [TracedMailOut(**row._asdict()) for row in await connection.execute(query)]


TRACE = TracePart(
    "The mails about the order with this id, or to the customer with this id: template, state, attempts and times.",
    MailTraceOut,
    mail_trace,
)
