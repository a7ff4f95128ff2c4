"""Links in mails: the page of the shop that they open, and their token.

The token is derived from the link's id when the mail is rendered (``chassis/link_tokens.py``): the ledger, which is
kept, contains nothing that opens an account.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import SecretStr
from pydantic_core import Url

from chassis.link_tokens import Purpose, link_token, unsubscribe_token
from notifier_svc.rendering.carriers import TrackingPages
from notifier_svc.rendering.domain import OPTIONAL_TEMPLATES, MailContent
from notifier_svc.replicas.domain import Customer

PAGES: Mapping[Purpose, str] = {
    "verify": "verify-email",
    "reset": "reset-password",
    "change": "change-email",
    "revert": "revert-email-change",
}
"""The page of the shop that takes the token of a link and posts it."""
FORGOTTEN, UNSUBSCRIBE, ORDER = "forgot-password", "unsubscribe", "order"
"""Its other pages that mails lead to."""


class LinkExpired(ValueError):
    """The link of a mail has expired, so the mail is of no use; the customer can request another."""


@dataclass(frozen=True, slots=True)
class Links:
    """Makes links to the pages of one shop, and to those of carriers."""

    shop: str
    """The base URL of its pages, without a slash at the end."""
    key: SecretStr = field(repr=False)
    tracking: TrackingPages = field(default_factory=TrackingPages)

    @classmethod
    def to(cls, shop: Url, key: SecretStr, tracking: Mapping[str, str] = {}) -> "Links":
        """Links to the pages below a URL."""
        return cls(str(shop).rstrip("/"), key, TrackingPages(tracking))

    def values(self, content: MailContent, customer: Customer, now: datetime) -> dict[str, Any]:
        """The values for a template: every link that it may have, None for those that this mail has not.

        Raise ``LinkExpired``.
        """
        context = content.context
        if (expires := context.get("expires_at")) and datetime.fromisoformat(expires) <= now:
            raise LinkExpired("it was not sent in time")
        return {
            "forgotten_url": f"{self.shop}/{FORGOTTEN}",
            # Browsers do not send what is behind the #: no server on the way, nor its log, sees it.
            "order_url": f"{self.shop}/{ORDER}#{content.order_id}" if content.order_id else None,
            "tracking_url": self.tracking.url(context.get("carrier", ""), context.get("tracking_number", "")),
            "unsubscribe_url": self._unsubscribe_url(content, customer),
            **self._account_link(context, now),
        }

    def _unsubscribe_url(self, content: MailContent, customer: Customer) -> str | None:
        """A mail that staff send again may go to somebody else, who must not unsubscribe the customer."""
        if content.template not in OPTIONAL_TEMPLATES or content.resent:
            return None
        return f"{self.shop}/{UNSUBSCRIBE}?token={unsubscribe_token(self.key, customer.id)}"

    def _account_link(self, context: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        if not (link := context.get("link")):
            return {}
        until = datetime.fromisoformat(link["expires_at"])
        if until <= now:
            raise LinkExpired(f"the link expired at {until:%Y-%m-%d %H:%M} UTC")
        token = link_token(self.key, link["purpose"], UUID(link["link_id"]))
        return {"url": f"{self.shop}/{PAGES[link['purpose']]}#{token}", "until": until}
