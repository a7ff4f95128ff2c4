"""Leaving, and what there is about oneself."""

from datetime import datetime
from typing import Literal

from chassis.rest import Answer, Body
from customer_svc.domain.account import Account
from customer_svc.domain.erasure import Erasure
from customer_svc.domain.session import Session
from customer_svc.dto.accounts import AccountOut, Id, Moment, Password, account_out
from customer_svc.dto.profile import AddressOut, address_out


class Farewell(Body):
    """The password, so that nobody who only found a logged-in device erases an account."""

    password: Password


class PartOut(Answer):
    """One service's part in an erasure."""

    part: Literal["account", "orders", "mails"]
    done_at: Moment | None


class ErasureOut(Answer):
    """How far an erasure has come. Nothing in it says whose."""

    id: Id
    state: Literal["running", "done"]
    parts: list[PartOut]


class SessionTold(Answer):
    """A session, without its secrets."""

    began_at: Moment
    ends_at: Moment
    ended_at: Moment | None


class Elsewhere(Answer):
    """Where the other services show what they have about one."""

    orders: str = "/v1/orders"
    mails: str = "/v1/notifications"


class ExportOut(Answer):
    """Everything that customer_svc has about its reader."""

    exported_at: Moment
    account: AccountOut
    verified_at: Moment | None
    changed_at: Moment
    addresses: list[AddressOut]
    sessions: list[SessionTold]
    elsewhere: Elsewhere = Elsewhere()


def erasure_out(erasure: Erasure) -> ErasureOut:
    """An erasure as whoever asked for it sees it."""
    parts = [
        PartOut(part="account", done_at=erasure.changed_at),
        PartOut(part="orders", done_at=erasure.orders_at),
        PartOut(part="mails", done_at=erasure.mails_at),
    ]
    return ErasureOut(id=erasure.id, state="done" if erasure.done else "running", parts=parts)


def export_out(account: Account, sessions: list[Session], now: datetime) -> ExportOut:
    """All of it."""
    return ExportOut(
        exported_at=now,
        account=account_out(account),
        verified_at=account.verified_at,
        changed_at=account.changed_at,
        addresses=[address_out(entry) for entry in account.addresses],
        sessions=[SessionTold(began_at=s.began_at, ends_at=s.ends_at, ended_at=s.ended_at) for s in sessions],
    )
