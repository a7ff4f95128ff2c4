"""Timelines of orders on the running platform."""

from typing import Any

from tests.stack import Stack, eventually


async def timeline_with_mail(shop: Stack, location: str, customer: dict[str, str]) -> dict[str, Any]:
    """Wait until a mail about an order is sent; return the timeline."""

    async def mailed() -> dict[str, Any] | None:
        timeline: dict[str, Any] = await shop.read("order", f"{location}/timeline", customer)
        return timeline if timeline["entries"][-1]["type"] == "notification.mail_sent" else None

    timeline: dict[str, Any] = await eventually(mailed, 30, "the mail")
    return timeline
