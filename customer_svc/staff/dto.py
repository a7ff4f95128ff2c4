"""Bodies of lists of customers, and of the accounts of staff and ops."""

from typing import Annotated

from pydantic import Field

from chassis.http.bodies import ResponseBody
from chassis.http.paging import Page
from customer_svc.accounts.domain import AccountStatus
from customer_svc.accounts.dto import AccountOut, Id
from customer_svc.staff.domain import StaffRole
from customer_svc.staff.queries import StaffAccount


class CustomersOut(Page[AccountOut, Id]):
    """A page of customers, newest first; ``next`` is the ``cursor`` of the following page."""


class StaffAccountOut(ResponseBody):
    """An account of staff or ops."""

    id: Id
    email: Annotated[str, Field(examples=["grace@example.com"])]
    name: Annotated[str, Field(examples=["Grace Hopper"])]
    role: Annotated[StaffRole, Field(examples=["ops"])]
    state: AccountStatus
    one_time_codes: Annotated[bool, Field(description="whether a log-in needs a one-time code")]


class StaffAccountsOut(ResponseBody):
    """All accounts of staff and ops, oldest first."""

    items: list[StaffAccountOut]


def staff_account_out(account: StaffAccount) -> StaffAccountOut:
    """The body of an account of staff or ops."""
    return StaffAccountOut(
        id=account.id,
        email=account.email,
        name=account.name,
        role=account.role,
        state="active" if account.active else "deactivated",
        one_time_codes=account.has_totp,
    )
