"""Failpoints: what can be armed, what then happens, and that every point is a place in the code."""

import asyncio
import re
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import ValidationError

from chassis.runtime import failpoints
from chassis.runtime.settings import Settings
from tests.processes import refusal

ROOT = Path(__file__).parents[3]
POINT = "relay.marked"


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    failpoints.arm("")


def test_every_point_of_the_table_is_one_place_in_the_code() -> None:
    code = [path.read_text() for name in ("chassis", "notifier_svc") for path in (ROOT / name).rglob("*.py")]
    places = Counter(point for text in code for point in re.findall(r'await failpoints\.reach\("([a-z.]+)"\)', text))
    for text in code:
        # The transaction runner has two points, named after what it runs for.
        runs_for = re.findall(r'TransactionRunner\(.*point="([a-z]+)"\)', text)
        places.update(f"{name}.commit.{when}" for name in runs_for for when in ("before", "after"))
    assert places == dict.fromkeys(failpoints.POINTS, 1)


def test_every_point_costs_a_look_at_a_boolean_while_nothing_is_armed() -> None:
    for name in ("chassis", "notifier_svc"):
        for path in (ROOT / name).rglob("*.py"):
            lines = path.read_text().splitlines()
            for before, line in pairwise(lines):
                if line.strip().startswith("await failpoints.reach("):
                    assert before.strip() in ("if failpoints.armed:", "if jobs and failpoints.armed:"), path
    assert not failpoints.armed


@pytest.mark.parametrize("module", ["http/app.py", "runtime/worker.py"])
def test_both_kinds_of_processes_are_armed_at_their_start(module: str) -> None:
    assert (ROOT / "chassis" / module).read_text().count("failpoints.arm(settings.failpoints)") == 1


def test_faults_are_read_in_order() -> None:
    assert failpoints.parse("relay.marked=die@5, mail.dot.after=hang") == [
        failpoints.FailPoint("relay.marked", "die", 5),
        failpoints.FailPoint("mail.dot.after", "hang", 1),
    ]
    assert failpoints.parse("") == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("relay.gone=die", "relay.gone"),
        ("relay.marked", "relay.marked"),
        ("relay.marked=explode", "explode"),
        ("relay.marked=die@0", "'0'"),
        ("relay.marked=die@", "''"),
        ("relay.marked=die@-1", "'-1'"),
        ("relay.marked=die@1_0", "'1_0'"),
    ],
)
def test_an_unknown_point_or_action_is_named(text: str, named: str) -> None:
    with pytest.raises(ValueError, match=re.escape(named)):
        failpoints.parse(text)


async def test_unknown_points_end_the_start() -> None:
    message = await refusal("customer_svc.worker", {"FAILPOINTS": "relay.gone=die"})
    assert "FAILPOINTS" in message
    assert "relay.gone" in message


def test_nothing_fails_on_purpose_in_production() -> None:
    good = {"kafka_bootstrap_servers": "SASL_SSL://svc:Wm3fJ7xQ0v1L@kafka:9093", "shop_env": "production"}
    assert Settings.model_validate(good).failpoints == ""
    with pytest.raises(ValidationError, match="SHOP_ENV is production"):
        Settings.model_validate({**good, "failpoints": "relay.marked=die"})


async def test_an_error_is_raised_the_nth_time_alone() -> None:
    failpoints.arm(f"{POINT}=raise@2")
    assert failpoints.armed
    await failpoints.reach("relay.send.after")
    await failpoints.reach(POINT)
    with pytest.raises(failpoints.Injected, match=POINT):
        await failpoints.reach(POINT)
    await failpoints.reach(POINT)


async def test_to_hang_is_to_wait_until_cancelled() -> None:
    failpoints.arm(f"{POINT}=hang")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await failpoints.reach(POINT)


@pytest.mark.parametrize(("action", "status"), [("die", -signal.SIGKILL), ("term", -signal.SIGTERM)])
async def test_the_process_gets_its_signal(action: str, status: int) -> None:
    # The process has no handler for SIGTERM there, so the signal ends it.
    arm, reach = f"failpoints.arm('{POINT}={action}')", f"asyncio.run(failpoints.reach('{POINT}'))"
    code = f"import asyncio; from chassis.runtime import failpoints; {arm}; {reach}"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    await process.communicate()
    assert process.returncode == status
