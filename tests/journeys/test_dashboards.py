"""Every query of every dashboard is run against what a running platform exposes."""

import asyncio

from deploy.system import SYSTEM
from tests.alerting import HEALTHY, STEP, Scrape, history, parsed
from tests.deploy.dashboards import queries
from tests.journeys.timelines import timeline_with_mail
from tests.promql import Series, query
from tests.stack import Stack

ONLY_AFTER_FAULTS = {
    *("Handled before", "Dead letters lying", "New dead letters", "Transactions tried again"),
    *("Refused before a route", "What deadlines did"),
}
"""Titles of panels about what need not have happened."""


async def scraped(shop: Stack) -> Scrape:
    """What Prometheus gets from all processes."""
    found: dict[str, str] = {}
    for program in SYSTEM.all_processes:
        environment = shop.commands[program.name].env
        port = environment.get("METRICS_PORT") or environment["PORT"]
        found[f"127.0.0.1:{port}"] = f"http://127.0.0.1:{port}/metrics"
    answers = await asyncio.gather(*(shop.http.get(url) for url in found.values()))
    scrape: dict[Series, float] = {}
    for instance, answer in zip(found, answers, strict=True):
        target = {"job": "shopstream", "instance": instance}
        scrape |= parsed(answer.text, **target)
        scrape["up", frozenset(target.items())] = float(answer.is_success)
    return scrape


async def test_every_query_of_a_dashboard_has_an_answer_once_an_order_was_mailed(shop: Stack) -> None:
    _, customer = await shop.customer()
    sku = await shop.product(on_hand=10)
    scrapes = []
    for _ in range(2):
        placed = await shop.order(customer, {sku: 2})
        await timeline_with_mail(shop, placed.headers["location"], customer)
        scrapes.append(await scraped(shop))
    found = history(scrapes, HEALTHY + STEP)
    empty = {title for _, title, target in queries() if not query(target["expr"])(found, HEALTHY + STEP)}
    assert empty <= ONLY_AFTER_FAULTS
