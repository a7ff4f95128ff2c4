"""Alerts as Prometheus would raise them: the real rules, over what processes expose before and during a fault."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from prometheus_client.parser import text_string_to_metric_families

from chassis.runtime.exposition import exposition
from tests.promql import Evaluate, History, Labels, Series, Vector, query, seconds

RULES = Path(__file__).parents[1] / "deploy" / "alerts" / "shopstream.yml"
STEP = 15.0
"""Seconds between two scrapes, and between two looks at the rules, as in deploy/observability/prometheus.yml."""
HEALTHY = 5400.0
"""So long all was well before a fault: longer than the longest window of a rule, with its offset."""

Scrape = Mapping[Series, float]
"""What processes exposed at a time."""


@dataclass(frozen=True)
class Rule:
    """An alert rule."""

    alert: str
    expression: Evaluate
    lasting: float
    """Seconds for which it has to be true."""
    names: frozenset[str]
    """The metrics in it, among other words."""


@cache
def rules() -> Mapping[str, Rule]:
    """The rules of deploy/alerts, by name."""
    found = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
    return {
        one["alert"]: Rule(
            one["alert"],
            query(one["expr"]),
            seconds(one.get("for", "0s")),
            frozenset(re.findall(r"[a-zA-Z_:][\w:]*", one["expr"])),
        )
        for one in found
    }


def scrape(service: str) -> Scrape:
    """What this process exposes, as a process of a service."""
    return of_rules(exposition(service).decode())


def of_rules(text: str) -> Scrape:
    """What a process exposes, of the metrics in the rules: after many tests it exposes thousands of series."""
    names = frozenset().union(*(rule.names for rule in rules().values()))
    return parsed("\n".join(line for line in text.splitlines() if re.split("[{ ]", line, maxsplit=1)[0] in names))


def parsed(text: str, **labels: str) -> Scrape:
    """What a process exposes; ``labels`` are those that Prometheus adds."""
    return {
        (sample.name, frozenset({**sample.labels, **labels}.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def fired(alert: str, before: Scrape, *during: Scrape, apart: float = STEP) -> list[dict[str, str]]:
    """The labels of the alerts that were not there before a fault, and come once it has lasted.

    The scrapes ``during`` the fault are so many seconds ``apart``; what the last one says stays.
    """
    rule = rules()[alert]
    scrapes = [_only(rule.names, one) for one in (before, *during)]
    [quiet] = firing(replace(rule, lasting=0.0), history(scrapes[:1], HEALTHY), HEALTHY, HEALTHY)
    end = HEALTHY + apart * len(during) + rule.lasting
    looks = firing(rule, history(scrapes, end, apart), HEALTHY, end)
    found = {labels: None for alerts in looks for labels in alerts if labels not in quiet}
    return [dict(labels) for labels in found]


def _only(names: Collection[str], scrape: Scrape) -> Scrape:
    return {series: value for series, value in scrape.items() if series[0] in names}


def history(scrapes: Sequence[Scrape], end: float, apart: float = STEP) -> History:
    """The samples until ``end``: the first scrape says what was the case until the fault."""
    found: dict[Series, list[tuple[float, float]]] = {}
    for n in range(int(end / STEP) + 1):
        time = n * STEP
        current = scrapes[max(0, min(len(scrapes) - 1, 1 + int((time - HEALTHY - STEP) / apart)))]
        for series, value in current.items():
            found.setdefault(series, []).append((time, value))
    return found


def firing(rule: Rule, history: History, begin: float, end: float) -> Iterator[Vector]:
    """The alerts that fire at each look at a rule, since ``begin``."""
    since: dict[Labels, float] = {}
    for n in range(int((end - begin) / STEP) + 1):
        time = begin + n * STEP
        found = rule.expression(history, time)
        assert isinstance(found, dict)
        since = {labels: since.get(labels, time) for labels in found}
        yield {labels: value for labels, value in found.items() if time - since[labels] >= rule.lasting}


def expanded(values: str) -> Iterator[float]:
    """The samples that promtool's notation stands for: ``1+0x5 0+15x60``."""
    for part in values.split():
        first, _, rest = part.partition("+")
        step, _, times = rest.partition("x")
        yield from (float(first) + float(step) * n for n in range(int(times) + 1))


def history_of(test: Mapping[str, Any]) -> History:
    """The samples of one of promtool's unit tests."""
    found: dict[Series, list[tuple[float, float]]] = {}
    for series in test["input_series"]:
        name, _, labels = series["series"].rstrip("}").partition("{")
        pairs = [pair.partition("=") for pair in labels.split(",")]
        key = name, frozenset((label, value.strip('"')) for label, _, value in pairs)
        found[key] = [(n * seconds(test["interval"]), value) for n, value in enumerate(expanded(series["values"]))]
    return found
