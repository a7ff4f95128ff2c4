"""Responses that must not reveal whether an account exists take a minimum time."""

import asyncio
from collections.abc import Awaitable
from typing import Any

MIN_SECONDS = 0.1
"""Longer than a transaction takes: the work inside it differs between known and unknown accounts."""


async def with_minimum_duration(work: Awaitable[Any]) -> None:
    """Wait for the work, and for at least ``MIN_SECONDS``."""
    await asyncio.gather(work, asyncio.sleep(MIN_SECONDS))
