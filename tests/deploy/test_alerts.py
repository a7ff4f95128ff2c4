"""The alert rules: each asks for metrics, labels and values that the code exposes, and says what to do."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from chassis.http.errors import Forbidden
from customer_svc.audit_log.writer import ALERTED
from tests import alerting
from tests.deploy.exposed import grouped_by, problems, selectors
from tests.promql import seconds

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "alerts" / "shopstream.yml"
FIRING = ROOT / "tests" / "deploy" / "alerts_test.yml"


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_a_rule_asks_for_what_the_code_exposes(rule: dict[str, Any]) -> None:
    assert problems(rule["expr"]) == []
    named = set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"])))
    assert named <= grouped_by(rule["expr"]), "the others are aggregated away"


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_a_rule_says_how_urgent_it_is_and_the_guide_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("page", "ticket")
    page, _, heading = rule["annotations"]["runbook"].partition("#")
    section = (ROOT / page).read_text().partition(f"\n## {heading.capitalize()}\n")[2].partition("\n## ")[0]
    assert f"| `{rule['alert']}` |" in section


def test_a_security_event_that_raises_an_alert_is_counted_from_the_start() -> None:
    """Else the first one is no increase. What is refused for a role is alerted in dozens."""
    wanted = [
        matchers
        for rule in rules()
        for _, matchers in selectors(rule["expr"])
        if "session" in matchers.get("action", "")
    ]
    series = [dict(zip(("action", "outcome", "reason"), one, strict=True)) for one in ALERTED]
    assert wanted
    assert all(any(matchers.items() <= one.items() for one in series) for matchers in wanted)
    assert {"reason": Forbidden.code} in [matchers for rule in rules() for _, matchers in selectors(rule["expr"])]


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_prometheus_can_read_the_rules() -> None:
    subprocess.run(["promtool", "check", "rules", str(RULES)], check=True, capture_output=True)


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_the_rules_fire_when_they_should() -> None:
    done = subprocess.run(["promtool", "test", "rules", str(FIRING)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_unit_tests_of_promtool_are_about_every_rule() -> None:
    tests = yaml.safe_load(FIRING.read_text())["tests"]
    tested = {one["alertname"] for test in tests for one in test["alert_rule_test"] if one["exp_alerts"]}
    assert tested == {rule["alert"] for rule in rules()}


UNIT_TESTS = [
    pytest.param(test, expected, id=f"{expected['alertname']}-{expected['eval_time']}")
    for test in yaml.safe_load(FIRING.read_text())["tests"]
    for expected in test["alert_rule_test"]
]
"""What promtool is given: series, and the alerts that are expected at a time."""


@pytest.mark.parametrize(("test", "expected"), UNIT_TESTS)
def test_a_rule_fires_when_promtool_says_so(test: dict[str, Any], expected: dict[str, Any]) -> None:
    """So that the rules are tested where there is no promtool, and what the tests of faults evaluate them with is."""
    rule = alerting.rules()[expected["alertname"]]
    *_, found = alerting.firing(rule, alerting.history_of(test), 0.0, seconds(expected["eval_time"]))
    [severity] = [one["labels"]["severity"] for one in rules() if one["alert"] == rule.alert]
    wanted = [one["exp_labels"] for one in expected["exp_alerts"]]
    assert [dict(labels) | {"severity": severity} for labels in found] == wanted


def test_every_alert_is_fired_by_a_fault_in_a_test() -> None:
    """On what processes expose; the call of ``fired`` names the alert."""
    tests = (path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    named = {name for text in tests for name in re.findall(r'\bfired\(\s*"(\w+)"', text)}
    assert named == {rule["alert"] for rule in rules()}
