"""The dashboards and the configuration of Prometheus: they ask for what processes expose, and scrape them all."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.system import SYSTEM
from tests.compose.deployment import ROOT, read_deployment
from tests.deploy.dashboards import DASHBOARDS, queries, read
from tests.deploy.exposed import exposed, grouped_by, problems, selectors

FOLDER = ROOT / "deploy" / "observability"
NOT_ON_A_DASHBOARD = {"shop_security_lines_suppressed", "shop_mail_refusals"}
"""Alerted, or of interest only with the log."""


QUERIES = list(queries())
every_query = pytest.mark.parametrize(("board", "title", "target"), QUERIES, ids=[f"{b}-{t}" for b, t, _ in QUERIES])


@every_query
def test_a_query_asks_for_what_processes_expose(board: str, title: str, target: dict[str, Any]) -> None:
    assert problems(target["expr"]) == []


@every_query
def test_a_legend_names_labels_that_the_query_leaves(board: str, title: str, target: dict[str, Any]) -> None:
    assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= grouped_by(target["expr"])


@pytest.mark.parametrize(
    "query",
    [
        "sum(rate(shop_orders_confirmed_total[5m]))",
        'sum(rate(shop_events_handled_total{kind="order.placed"}[5m]))',
        'sum(rate(shop_events_handled_total{outcome="lost"}[5m]))',
        "max by (group, partition) (shop_consumer_lag)",
        "rate(shop_handler_seconds[5m])",
        "vector(1)",
    ],
)
def test_a_query_for_what_is_not_exposed_is_found(query: str) -> None:
    assert problems(query)


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_differs_from_the_others_and_so_do_its_panels(path: Path) -> None:
    board = read(path)
    assert board["uid"] == f"shopstream-{path.stem}"
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    sources = yaml.safe_load((FOLDER / "grafana" / "datasources.yml").read_text())["datasources"]
    assert {panel["datasource"]["uid"] for panel in board["panels"]} <= {source["uid"] for source in sources}


def test_every_metric_of_ours_is_on_a_dashboard_or_left_out_on_purpose() -> None:
    shown = {name for _, _, target in QUERIES for name, _ in selectors(target["expr"])}
    families = {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in exposed() if name.startswith("shop_")}
    missing = families - {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in shown}
    assert missing == NOT_ON_A_DASHBOARD


def test_prometheus_scrapes_the_metrics_of_every_process(tmp_path: Path) -> None:
    jobs = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"]
    [job] = [one for one in jobs if one["job_name"] == "shopstream"]
    [static] = job["static_configs"]
    containers = read_deployment(tmp_path / "none").services
    expected = []
    for program in SYSTEM.all_processes:
        environment = containers[program.name]["environment"]
        expected.append(f"{program.name}:{environment.get('METRICS_PORT', environment['PORT'])}")
        assert set(containers["prometheus"]["networks"]) & set(containers[program.name]["networks"])
    assert sorted(static["targets"]) == sorted(expected)


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_prometheus_can_read_every_query(tmp_path: Path) -> None:
    rules = [{"record": f"q:{n}", "expr": target["expr"]} for n, (_, _, target) in enumerate(QUERIES)]
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    subprocess.run(["promtool", "check", "rules", str(file)], check=True, capture_output=True)


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_prometheus_can_read_its_configuration() -> None:
    subprocess.run(
        ["promtool", "check", "config", "--syntax-only", str(FOLDER / "prometheus.yml")],
        check=True,
        capture_output=True,
    )
