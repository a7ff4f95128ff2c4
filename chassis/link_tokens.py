"""Tokens of the links in mails: one service makes the links, another mails them, and no event carries the token.

An event names a link by its id. The token is made from that id with a key that only the two services have:
a reader of the topic, now or in ten years, learns no token. Why: ADR 0012.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo

from chassis.runtime.production import check_secret, in_production

Purpose = Literal["verify", "reset", "change", "revert"]
"""What a link is for; a token for one purpose is not valid for another. The last two change an e-mail address, and
revert that."""


def _check(key: SecretStr, info: ValidationInfo) -> SecretStr:
    if in_production(info):
        check_secret(key.get_secret_value())
    return key


LinkKey = Annotated[SecretStr, Field(min_length=32), AfterValidator(_check)]
"""The key that tokens are made with: the same for both services, at least 32 characters."""


def link_token(key: SecretStr, purpose: Purpose, link_id: UUID) -> str:
    """The token of a link: 43 characters that need no escaping in a URL (HMAC-SHA256, RFC 2104)."""
    mac = hmac.new(key.get_secret_value().encode(), f"{purpose} {link_id}".encode(), hashlib.sha256)
    return _base64(mac.digest())


def unsubscribe_token(key: SecretStr, customer_id: UUID) -> str:
    """The token with which a customer unsubscribes from optional mails, without a log-in (RFC 8058).

    It does not expire, since mails are kept, and allows nothing else. 65 characters that need no escaping in a URL.
    """
    mac = hmac.new(key.get_secret_value().encode(), f"unsubscribe {customer_id}".encode(), hashlib.sha256)
    return _base64(customer_id.bytes) + _base64(mac.digest())


def customer_of_unsubscribe_token(key: SecretStr, token: str) -> UUID | None:
    """The customer whose token this is; None if it is nobody's."""
    try:
        customer_id = UUID(bytes=urlsafe_b64decode(f"{token[:22]}=="))
    except ValueError:
        return None
    genuine = hmac.compare_digest(token.encode(), unsubscribe_token(key, customer_id).encode())
    return customer_id if genuine else None


def _base64(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()
