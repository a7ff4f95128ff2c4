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

from chassis.link_tokens import Purpose, link_token

PAGES: Mapping[Purpose, str] = {
    "verify": "verify-email",
    "reset": "reset-password",
    "change": "change-email",
    "revert": "revert-email-change",
}
"""The page of the shop that takes the token of a link and posts it."""


class LinkExpired(ValueError):
    """The link of a mail has expired, so the mail is of no use; the customer can request another."""


@dataclass(frozen=True, slots=True)
class Links:
    """Makes links to the pages of one shop."""

    shop: str
    """The base URL of its pages, without a slash at the end."""
    key: SecretStr = field(repr=False)

    @classmethod
    def to(cls, shop: Url, key: SecretStr) -> "Links":
        """Links to the pages below a URL."""
        return cls(str(shop).rstrip("/"), key)

    def values(self, context: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """The values for a template: ``shop``, and ``url`` and ``until`` of the mail's link if it has one.

        Raise ``LinkExpired``.
        """
        if not (link := context.get("link")):
            return {"shop": self.shop}
        until = datetime.fromisoformat(link["expires_at"])
        if until <= now:
            raise LinkExpired(f"the link expired at {until:%Y-%m-%d %H:%M} UTC")
        token = link_token(self.key, link["purpose"], UUID(link["link_id"]))
        # Browsers do not send what is behind the #: no server on the way, nor its log, sees the token.
        return {"shop": self.shop, "url": f"{self.shop}/{PAGES[link['purpose']]}#{token}", "until": until}
