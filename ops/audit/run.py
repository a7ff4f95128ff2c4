"""One audit from beginning to end: read everything, then look for contradictions."""

import asyncio
import sqlite3
import time
from collections.abc import Mapping
from typing import Any

from ops.audit.checks import CHECKS, COUNTS, Check
from ops.audit.evidence import Evidence
from ops.audit.report import Finding, Headers, Progress, Report, Shop
from ops.audit.services import Service, client
from ops.errors import CannotDo
from ops.topics import open_topics

MAX_LISTED = 1000
"""At most so many findings of one check are listed; the rest are counted."""


async def audit(
    shop: Shop,
    headers: Headers,
    *,
    settle_seconds: float = 10.0,
    deadline_seconds: float = 600.0,
    progress: Progress | None = None,
) -> Report:
    """Audit the whole shop, also under traffic; raise ``CannotDo`` for what cannot be reached.

    Changes within ``settle_seconds`` before the start are not compared between services; ``deadline_seconds`` is how
    long an order may be PENDING (ORDER_DEADLINE_SECONDS of order_svc).
    """
    report_progress = progress or (lambda _what, _count: None)
    moment = {
        "settled": int((time.time() - settle_seconds) * 1_000_000),
        "settle_seconds": settle_seconds,
        "deadline": deadline_seconds,
    }
    evidence, report = Evidence(), Report()
    try:
        await _read_services(shop, headers, evidence, report_progress)
        await _read_topics(shop, evidence, report, report_progress)
        await asyncio.to_thread(_examine, evidence, moment, report, report_progress)
    except sqlite3.Error as error:
        raise CannotDo(f"the data that was read cannot be stored or compared: {error}") from error
    finally:
        evidence.close()
    return report


async def _read_services(shop: Shop, headers: Headers, evidence: Evidence, report_progress: Progress) -> None:
    """Read the ledgers first, in the order in which causes have effects; then the inboxes and outboxes.

    So the events of a ledger are in the outbox, which is read after it, or on the topics, which are read last; and
    the effects of what a ledger shows are in the ledgers that are read after it.
    """
    async with client() as http:
        services = {name: Service(http, name, url, headers) for name, url in shop.services.items()}
        for service in services.values():
            summary = await service.summary()
            evidence.add_handled_types(summary["group"], summary["handles"])
        for name in ("customer", "order", "product", "notifier"):
            await _read(services[name], "ledger", evidence, report_progress)
        for path in ("inbox", "dead-letters", "outbox"):
            for service in services.values():
                await _read(service, path, evidence, report_progress)


async def _read(service: Service, path: str, evidence: Evidence, report_progress: Progress) -> None:
    count = 0
    async for lines in service.lines(f"/v1/ops/{path}"):
        evidence.add_lines(service.name, lines)
        count += len(lines)
        report_progress(f"{service.name} {path}", count)


async def _read_topics(shop: Shop, evidence: Evidence, report: Report, report_progress: Progress) -> None:
    count = unreadable = 0
    async with open_topics(shop.kafka, shop.kafka_prefix) as topics:
        async for partition, messages in topics.records():
            unreadable += evidence.add_events(topics.name(partition), messages)
            count += len(messages)
            report_progress("topics", count)
        report.counts |= {"messages": count, "messages_unreadable": unreadable}
        for topic in sorted(topics.truncated):
            report.notes.append(f"{topic} does not reach back to its first event: earlier events cannot be checked")
        await asyncio.to_thread(evidence.finish, topics.truncated)


def _examine(evidence: Evidence, moment: Mapping[str, Any], report: Report, report_progress: Progress) -> None:
    for name, query in COUNTS.items():
        report.counts[name] = evidence.count(query, moment)
    report.counts["events_repeated"] = (
        report.counts["messages"] - report.counts["messages_unreadable"] - report.counts["events"]
    )
    for number, check in enumerate(CHECKS, 1):
        report_progress("checks", number)
        report.findings += _contradictions(evidence, check, moment)


def _contradictions(evidence: Evidence, check: Check, moment: Mapping[str, Any]) -> list[Finding]:
    rows = evidence.rows(check.contradictions, moment, MAX_LISTED + 1)
    findings = [Finding(check.code, subject, detail) for subject, detail in rows[:MAX_LISTED]]
    if len(rows) > MAX_LISTED:
        more = evidence.count(check.contradictions, moment) - MAX_LISTED
        findings.append(Finding(check.code, "and more", f"{more} more like these"))
    return findings
