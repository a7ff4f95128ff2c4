"""Postal addresses as REST responses show them."""

from collections.abc import Mapping
from typing import Any


def shown(address: Mapping[str, Any]) -> dict[str, Any]:
    """An address with every field that responses have."""
    return {"company": None, "line2": None, "region": None, "phone": None, **address}
