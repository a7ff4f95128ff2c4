"""Bodies of erasures."""

from typing import Literal

from chassis.http.bodies import RequestBody, ResponseBody
from customer_svc.accounts.dto import Id, Moment, Password
from customer_svc.erasure.domain import Erasure


class ErasureRequest(RequestBody):
    """The password, so that an unlocked device is not enough to erase an account."""

    password: Password


class PartOut(ResponseBody):
    """One service's part in an erasure."""

    part: Literal["account", "orders", "mails"]
    done_at: Moment | None


class ErasureOut(ResponseBody):
    """The progress of an erasure. It does not say whose."""

    id: Id
    state: Literal["running", "done"]
    parts: list[PartOut]


def erasure_out(erasure: Erasure) -> ErasureOut:
    """The body of an erasure."""
    parts = [
        PartOut(part="account", done_at=erasure.changed_at),
        PartOut(part="orders", done_at=erasure.orders_anonymised_at),
        PartOut(part="mails", done_at=erasure.mails_anonymised_at),
    ]
    return ErasureOut(id=erasure.id, state="done" if erasure.done else "running", parts=parts)
