"""Leaving, and what there is about oneself."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from chassis.http.bodies import RequestBody, ResponseBody
from customer_svc.domain.account import Account
from customer_svc.domain.erasure import Erasure
from customer_svc.domain.session import Session
from customer_svc.dto.accounts import AccountOut, Id, Moment, Password, account_out
from customer_svc.dto.profile import AddressOut, address_out
from customer_svc.examples import NOTIFICATION, ORDER


class Farewell(RequestBody):
    """The password, so that nobody who only found a logged-in device erases an account."""

    password: Password


class PartOut(ResponseBody):
    """One service's part in an erasure."""

    part: Literal["account", "orders", "mails"]
    done_at: Moment | None


class ErasureOut(ResponseBody):
    """How far an erasure has come. Nothing in it says whose."""

    id: Id
    state: Literal["running", "done"]
    parts: list[PartOut]


class SessionTold(ResponseBody):
    """A session, without its secrets."""

    began_at: Moment
    ends_at: Moment
    ended_at: Moment | None


class OwnExportOut(ResponseBody):
    """Everything that customer_svc has about its reader."""

    exported_at: Moment
    account: AccountOut
    verified_at: Moment | None
    changed_at: Moment
    addresses: list[AddressOut]
    sessions: list[SessionTold]


class ExportOut(OwnExportOut):
    """Everything that there is about its reader, in all services.

    Orders and mails stand here as the services that have them tell of them: `GET /v1/exports/orders` of the order
    service, `GET /v1/exports/notifications` of the notification service.
    """

    orders: Annotated[
        list[dict[str, Any]],
        Field(description="all orders, newest first, each with its timeline", examples=[[ORDER]]),
    ]
    notifications: Annotated[
        list[dict[str, Any]],
        Field(description="all mails, newest first, each with what it says", examples=[[NOTIFICATION]]),
    ]


def erasure_out(erasure: Erasure) -> ErasureOut:
    """An erasure as whoever asked for it sees it."""
    parts = [
        PartOut(part="account", done_at=erasure.changed_at),
        PartOut(part="orders", done_at=erasure.orders_at),
        PartOut(part="mails", done_at=erasure.mails_at),
    ]
    return ErasureOut(id=erasure.id, state="done" if erasure.done else "running", parts=parts)


def own_export_out(account: Account, sessions: list[Session], now: datetime) -> OwnExportOut:
    """All of it."""
    return OwnExportOut(
        exported_at=now,
        account=account_out(account),
        verified_at=account.verified_at,
        changed_at=account.changed_at,
        addresses=[address_out(entry) for entry in account.addresses],
        sessions=[SessionTold(began_at=s.began_at, ends_at=s.ends_at, ended_at=s.ended_at) for s in sessions],
    )
