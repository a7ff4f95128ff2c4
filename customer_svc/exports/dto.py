"""Bodies of exports."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from chassis.http.bodies import ResponseBody
from customer_svc.accounts.domain import Account
from customer_svc.accounts.dto import AccountOut, Moment, account_out
from customer_svc.exports.examples import NOTIFICATION, ORDER
from customer_svc.profiles.dto import AddressOut, address_out
from customer_svc.sessions.domain import Session


class ExportedSession(ResponseBody):
    """A session, without its secrets."""

    began_at: Moment
    ends_at: Moment
    ended_at: Moment | None


class OwnExportOut(ResponseBody):
    """Everything that customer_svc stores about the customer."""

    exported_at: Moment
    account: AccountOut
    verified_at: Moment | None
    changed_at: Moment
    addresses: list[AddressOut]
    sessions: list[ExportedSession]


class ExportOut(OwnExportOut):
    """Everything that all services store about the customer.

    Orders and mails are included as the services return them at `GET /v1/exports/orders` (order service) and
    `GET /v1/exports/notifications` (notification service).
    """

    orders: Annotated[
        list[dict[str, Any]],
        Field(description="all orders, newest first, each with its timeline", examples=[[ORDER]]),
    ]
    notifications: Annotated[
        list[dict[str, Any]],
        Field(description="all mails, newest first, each with its text", examples=[[NOTIFICATION]]),
    ]


def own_export_out(account: Account, sessions: list[Session], now: datetime) -> OwnExportOut:
    """The body of an export, as far as customer_svc has the data."""
    return OwnExportOut(
        exported_at=now,
        account=account_out(account),
        verified_at=account.verified_at,
        changed_at=account.changed_at,
        addresses=[address_out(address) for address in account.addresses],
        sessions=[ExportedSession(began_at=s.began_at, ends_at=s.ends_at, ended_at=s.ended_at) for s in sessions],
    )
