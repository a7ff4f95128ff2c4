"""Which mails there are, and what is needed to render one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args
from uuid import UUID

OrderTemplate = Literal[
    "receipt",
    "rejected",
    "cancelled",
    "order_amended",
    "amendment_refused",
    "shipped",
    "remainder_cancelled",
    "tracking_corrected",
    "parcel_failed",
    "delivered",
    "return_requested",
    "return_approved",
    "return_declined",
    "return_received",
]
AccountTemplate = Literal[
    "welcome",
    "verification",
    "registration_repeated",
    "password_reset",
    "password_changed",
    "email_change",
    "email_changed",
    "email_change_reverted",
    "account_erased",
]
StaffTemplate = Literal["low_stock"]
Template = OrderTemplate | AccountTemplate | StaffTemplate

ACCOUNT_TEMPLATES: frozenset[Template] = frozenset(get_args(AccountTemplate))
"""Mails that may have a link that opens an account: they are not shown in the API, nor sent to another address."""
TEMPLATES: tuple[Template, ...] = get_args(OrderTemplate) + get_args(AccountTemplate) + get_args(StaffTemplate)
OPTIONAL_TEMPLATES: frozenset[Template] = frozenset({"shipped", "tracking_corrected", "delivered"})
"""Mails that customers can switch off. The others belong to the purchase, or keep an account safe."""


@dataclass(frozen=True, slots=True)
class MailContent:
    """What a mail says: a template and the values that are filled in."""

    id: UUID
    """The id of the mail, from which its Message-ID is derived."""
    template: Template
    order_id: UUID | None
    context: Mapping[str, Any]
    resent: bool = False
    """Whether staff have it sent again, maybe to somebody else."""
