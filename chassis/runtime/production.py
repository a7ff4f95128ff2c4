"""What ``SHOP_ENV=production`` refuses: what is fine on a developer's machine, and nowhere else.

Each check raises ``ValueError``, so that a validator of a setting can call it and the setting is named.
"""

import ipaddress
import re
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationInfo

from chassis.messaging.brokers import Brokers

SHORTEST_SECRET = 12
# Alone or with digits and dashes: a random secret may contain a word by chance.
_KNOWN = re.compile(
    r".*(development-only|change.?me|example).*|(secret|password|postgres|admin|root|test|shopstream|[\W\d_])+",
    re.IGNORECASE,
)
_LOCALHOST = ("localhost", "127.0.0.1", "::1")
_INTERNAL = re.compile(r"[^.]+|.*\.(svc|internal|local|localhost)|.*\.svc\.cluster\.local")


def in_production(info: ValidationInfo) -> bool:
    """Whether the settings that are validated are those of a production."""
    return bool(info.data.get("shop_env") == "production")


def check_secret(secret: str) -> None:
    """Refuse a secret that is short, or that everybody knows from an example."""
    if len(secret) < SHORTEST_SECRET:
        raise ValueError(f"its secret has less than {SHORTEST_SECRET} characters, and SHOP_ENV is production")
    if _KNOWN.fullmatch(secret):
        raise ValueError("its secret is one of an example, and SHOP_ENV is production")


def check_brokers(text: str) -> None:
    """Refuse brokers that let in everybody, and a password that everybody knows; ``text`` as ``Brokers`` reads it."""
    brokers = Brokers.parse(text)
    if not brokers.user:
        raise ValueError("has no user and password, and SHOP_ENV is production")
    check_secret(brokers.password)


def check_transport(url: Any) -> None:
    """Refuse a URL without TLS, unless its host is on this machine or on the cluster's own network."""
    if url.scheme == "https" or _is_internal(url.host or ""):
        return
    raise ValueError("needs https outside the cluster's own network, and SHOP_ENV is production")


def check_origin(origin: str) -> None:
    """Refuse an origin whose pages anybody on the way can change, unless they come from this machine."""
    if origin.startswith("http:") and urlsplit(origin).hostname not in _LOCALHOST:
        raise ValueError(f"{origin} needs https, and SHOP_ENV is production")


def _is_internal(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_private
    except ValueError:
        return bool(_INTERNAL.fullmatch(host))
