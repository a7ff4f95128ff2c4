"""One audit from beginning to end: read everything, then ask what contradicts itself."""

import asyncio
import sqlite3
import time
from collections.abc import Mapping
from typing import Any

from ops.audit.checks import CHECKS, COUNTS, Check
from ops.audit.evidence import Evidence
from ops.audit.report import CannotAudit, Finding, Headers, Progress, Report, Shop
from ops.audit.services import Service, client
from ops.audit.topics import open_topics

LISTED = 1000
"""Findings of one check that are listed; of more, only the number is given."""


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
    tell = progress or (lambda _what, _count: None)
    moment = {
        "settled": int((time.time() - settle_seconds) * 1_000_000),
        "settle_seconds": settle_seconds,
        "deadline": deadline_seconds,
    }
    evidence, report = Evidence(), Report()
    try:
        await _read_services(shop, headers, evidence, tell)
        await _read_topics(shop, evidence, report, tell)
        await asyncio.to_thread(_examine, evidence, moment, report, tell)
    except sqlite3.Error as error:
        raise CannotAudit(f"what was read cannot be kept or compared: {error}") from error
    finally:
        evidence.close()
    return report


async def _read_services(shop: Shop, headers: Headers, evidence: Evidence, tell: Progress) -> None:
    """Ledgers first, in the order in which causes have effects; only then what is on its way.

    So what a ledger shows is in the outbox that is read after it, or on the topics that are read after that;
    and what a service was caused to do, the service that caused it shows.
    """
    async with client() as http:
        services = {name: Service(http, name, url, headers) for name, url in shop.services.items()}
        for service in services.values():
            summary = await service.summary()
            evidence.take_handles(summary["group"], summary["handles"])
        for name in ("customer", "order", "product", "notifier"):
            await _read(services[name], "ledger", evidence, tell)
        for path in ("inbox", "dead-letters", "outbox"):
            for service in services.values():
                await _read(service, path, evidence, tell)


async def _read(service: Service, path: str, evidence: Evidence, tell: Progress) -> None:
    count = 0
    async for lines in service.lines(f"/v1/ops/{path}"):
        evidence.take(service.name, lines)
        count += len(lines)
        tell(f"{service.name} {path}", count)


async def _read_topics(shop: Shop, evidence: Evidence, report: Report, tell: Progress) -> None:
    count = strange = 0
    async with open_topics(shop.kafka, shop.kafka_prefix) as topics:
        async for topic, messages in topics.records():
            strange += evidence.take_events(topic, messages)
            count += len(messages)
            tell("topics", count)
        report.counts |= {"messages": count, "messages_unreadable": strange}
        for topic in sorted(topics.cut):
            report.notes.append(f"{topic} has lost its beginning: what was told there before cannot be checked")
        await asyncio.to_thread(evidence.close_books, topics.cut)


def _examine(evidence: Evidence, moment: Mapping[str, Any], report: Report, tell: Progress) -> None:
    for name, query in COUNTS.items():
        report.counts[name] = evidence.count(query, moment)
    report.counts["events_repeated"] = (
        report.counts["messages"] - report.counts["messages_unreadable"] - report.counts["events"]
    )
    for number, check in enumerate(CHECKS, 1):
        tell("checks", number)
        report.findings += _contradictions(evidence, check, moment)


def _contradictions(evidence: Evidence, check: Check, moment: Mapping[str, Any]) -> list[Finding]:
    rows = evidence.ask(check.contradictions, moment, LISTED + 1)
    findings = [Finding(check.code, subject, detail) for subject, detail in rows[:LISTED]]
    if len(rows) > LISTED:
        more = evidence.count(check.contradictions, moment) - LISTED
        findings.append(Finding(check.code, "and more", f"{more} more like these"))
    return findings
