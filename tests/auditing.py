"""The audit of a platform that a test runs."""

from collections.abc import Awaitable, Callable

from ops.audit import Report, Shop, audit
from tests.stack import OPS, Stack

SERVICES = ("customer", "product", "order", "notifier")


async def audited(shop: Stack, kafka: str, headers: Callable[[], Awaitable[dict[str, str]]] | None = None) -> Report:
    """Audit a platform that is at rest, with ``headers`` of ops (by default, of a new log-in each time)."""
    platform = Shop(
        **{name: shop.urls[name] for name in SERVICES},
        kafka=kafka,
        kafka_prefix=shop.commands["order"].env["KAFKA_PREFIX"],
    )
    return await audit(platform, headers or (lambda: shop.log_in(*OPS)), settle_seconds=0.0)


def lines(report: Report) -> list[str]:
    """The findings of an audit, a line each."""
    return [f"{one.check}: {one.subject}: {one.detail}" for one in report.findings]
