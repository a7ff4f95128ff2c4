"""Links in mails: one service makes them, another mails them, and no event carries what they open with.

An event names a link by its id. The token in the link is made of that id with a key that only the two services
have: whoever reads the topic, now or in ten years, learns nothing that opens anything. ADR 0020 says why.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, SecretStr

Purpose = Literal["verify", "reset"]
"""What a link is for; a token for one purpose is none for another."""

LinkKey = Annotated[SecretStr, Field(min_length=32)]
"""The key that tokens are made with: the same for both services, at least 32 characters."""


def link_token(key: SecretStr, purpose: Purpose, link_id: UUID) -> str:
    """The token of a link: 43 characters that need no escaping in a URL (HMAC-SHA256, RFC 2104)."""
    mac = hmac.new(key.get_secret_value().encode(), f"{purpose} {link_id}".encode(), hashlib.sha256)
    return urlsafe_b64encode(mac.digest()).rstrip(b"=").decode()
