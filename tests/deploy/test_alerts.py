"""The alert rules: each asks for metrics, labels and values that the code exposes, and says what to do."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from chassis.http.errors import Forbidden
from chassis.messaging.dead_letters import OPEN
from customer_svc.audit_log.domain import Action, Outcome
from customer_svc.audit_log.writer import ALERTED
from tests.contracts.reference import PROCESSES, SHARED, errors, metrics

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "alerts" / "shopstream.yml"
SELECTOR = re.compile(r"(shop_\w+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)\s*=\s*"([^"]*)"')
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def exposed() -> Mapping[str, tuple[str, ...]]:
    """The names that Prometheus sees → their labels."""
    found: dict[str, tuple[str, ...]] = {}
    for package in (SHARED, *PROCESSES):
        for metric in metrics(package):
            [family] = metric.describe()
            for suffix in SUFFIXES[family.type]:
                extra = ("service", "le") if suffix == "_bucket" else ("service",)
                found[f"{family.name}{suffix}"] = (*metric._labelnames, *extra)
    return found


def values() -> Mapping[str, set[str]]:
    """Label → the values that it can have."""
    codes = {error.code for package in (SHARED, "customer_svc") for error in errors(package)}
    dependencies = {"database", "kafka"}
    return {
        "dependency": dependencies,
        "state": set(OPEN),
        "action": set(get_args(Action)),
        "outcome": set(get_args(Outcome)),
        "reason": codes,
    }


def selectors(rule: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    for name, matchers in SELECTOR.findall(rule["expr"]):
        yield name, dict(MATCHER.findall(matchers))


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_a_rule_asks_for_what_the_code_exposes(rule: dict[str, Any]) -> None:
    found, known = list(selectors(rule)), exposed()
    assert found
    for name, matchers in found:
        assert name in known
        assert set(matchers) <= set(known[name])
        assert all(value in values()[label] for label, value in matchers.items()), matchers
    by = {label for labels in re.findall(r"by \(([^)]*)\)", rule["expr"]) for label in labels.split(", ")}
    assert by <= {label for name, _ in found for label in known[name]}
    named = set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"])))
    assert named <= by, "the others are aggregated away"


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_a_rule_says_how_urgent_it_is_and_the_guide_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("page", "ticket")
    page, _, heading = rule["annotations"]["runbook"].partition("#")
    section = (ROOT / page).read_text().partition(f"\n## {heading.capitalize()}\n")[2].partition("\n## ")[0]
    assert f"| `{rule['alert']}` |" in section


def test_a_security_event_that_raises_an_alert_is_counted_from_the_start() -> None:
    """Else the first one is no increase. What is refused for a role is alerted in dozens."""
    wanted = [
        matchers for rule in rules() for _, matchers in selectors(rule) if "session" in matchers.get("action", "")
    ]
    series = [dict(zip(("action", "outcome", "reason"), one, strict=True)) for one in ALERTED]
    assert wanted
    assert all(any(matchers.items() <= one.items() for one in series) for matchers in wanted)
    assert {"reason": Forbidden.code} in [matchers for rule in rules() for _, matchers in selectors(rule)]


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_prometheus_can_read_the_rules() -> None:
    subprocess.run(["promtool", "check", "rules", str(RULES)], check=True, capture_output=True)
