"""One audit from beginning to end."""

import httpx

from ops.audit.report import Finding, Headers, Progress, Report, Shop
from ops.audit.services import Service


async def audit(
    shop: Shop,
    headers: Headers,
    *,
    settle_seconds: float = 10.0,
    deadline_seconds: float = 600.0,
    progress: Progress | None = None,
) -> Report:
    """Look at everything, also under traffic; raise ``CannotAudit`` for what cannot be reached.

    What changed within ``settle_seconds`` before the start is not held against another service;
    ``deadline_seconds`` is how long an order may be PENDING (ORDER_DEADLINE_SECONDS of order_svc).
    """
    report = Report()
    async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
        for name, url in shop.services.items():
            summary = await Service(client, name, url, headers).summary()
            if summary["outbox_waiting"]:
                report.findings.append(Finding("outbox_waiting", name, f"{summary['outbox_waiting']} events"))
            for state, count in summary["dead_letters"].items():
                if count:
                    report.findings.append(Finding("dead_letter", name, f"{count} {state}"))
    return report
