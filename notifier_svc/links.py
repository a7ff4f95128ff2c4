"""Links in mails: where in the shop they lead, and with which token.

The token is made when the letter is written, of the link's id (``chassis/links.py``): the ledger, which is kept,
holds nothing that opens an account.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import SecretStr
from pydantic_core import Url

from chassis.link_tokens import Purpose, link_token

PAGES: Mapping[Purpose, str] = {"verify": "verify-email", "reset": "reset-password"}
"""The shop's page that takes the token of a link and posts it."""


class LinkExpired(ValueError):
    """The link that a mail is about opens nothing any more: whoever wants one asks for another."""


@dataclass(frozen=True, slots=True)
class Links:
    """Makes links to the pages of one shop."""

    shop: str
    """Where its pages are, without a slash at the end."""
    key: SecretStr = field(repr=False)

    @classmethod
    def to(cls, shop: Url, key: SecretStr) -> "Links":
        """Links to the pages below a URL."""
        return cls(str(shop).rstrip("/"), key)

    def context(self, said: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """What a template may say besides what the ledger does: ``shop``; ``url`` and ``until`` of a link.

        Raise ``LinkExpired`` where the link is good for nothing by now.
        """
        if not (link := said.get("link")):
            return {"shop": self.shop}
        until = datetime.fromisoformat(link["expires_at"])
        if until <= now:
            raise LinkExpired(f"its link was good until {until:%Y-%m-%d %H:%M} UTC")
        token = link_token(self.key, link["purpose"], UUID(link["link_id"]))
        # Behind the #, which browsers keep to themselves: no server on the way, nor its log, sees the token.
        return {"shop": self.shop, "url": f"{self.shop}/{PAGES[link['purpose']]}#{token}", "until": until}
