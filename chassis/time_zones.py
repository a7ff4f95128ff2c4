"""Time zones by their IANA names, such as ``Europe/Berlin``."""

from datetime import tzinfo
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones())


def is_time_zone(name: str) -> bool:
    """Whether this machine knows a time zone of this name. The first call reads a directory."""
    return name in _names()


@lru_cache(1024)
def time_zone(name: str | None) -> tzinfo | None:
    """The time zone of this name; None if there is none, or this machine does not know it."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
