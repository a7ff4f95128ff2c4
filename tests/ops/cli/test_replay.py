"""``shop replay``: events that a group has missed are planned, brought and proved, with an exit status for each."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from deploy.local.ports import free_port
from tests.ops.cli.job_loops import commit_all, job_loops
from tests.ops.cli.program import Result, assert_failed, location, run
from tests.ops.world import World, sql

PLAN = {
    *("id", "group", "mode", "state", "counts", "mails", "digest"),
    *("done", "digest_run", "equal"),
}
COUNTS = {
    *("on_topic", "repeated", "not_subscribed", "handled", "dead_lettered", "filtered", "erased", "to_bring"),
    *("late", "behind_dead_letter", "unreadable"),
}
WHY = ("--why", "the offsets were reset")


@pytest.fixture(scope="module", autouse=True)
async def _jobs(world: World) -> AsyncIterator[None]:
    async with job_loops(world):
        yield


async def missed(world: World) -> UUID:
    """An order of whose events notifier_svc knows nothing, because its offsets were moved past them."""
    order_id = await world.placed({await world.product(): 1})
    await world.flow(stopped=["notifier_svc"])
    await commit_all(world, "notifier_svc")
    return order_id


async def replay(world: World, *arguments: str) -> Result:
    return await run("replay", *arguments, **location(world))


async def planned(world: World, key: object, *options: str, status: int = 1) -> Any:
    """A plan for the events of a key."""
    result = await replay(world, "plan", "notifier_svc", "--key", str(key), "--json", *options)
    assert (result.status, result.err) == (status, ""), result
    return result.json


async def test_what_was_missed_is_planned_brought_and_proved(world: World) -> None:
    order_id = await missed(world)
    plan = await planned(world, order_id)
    assert plan.keys() >= PLAN
    assert plan["counts"].keys() >= COUNTS
    assert (plan["group"], plan["mode"], plan["state"]) == ("notifier_svc", "missing", "planned")
    assert (plan["counts"]["to_bring"], plan["by_type"], plan["mails"]) == (
        1,
        {"order.confirmed": 1},
        {"new": 1, "known": 0},
    )
    done = await replay(world, "run", plan["id"], "--mails", "send", "--json", *WHY)
    assert (done.status, done.err) == (0, "")
    assert (done.json["state"], done.json["equal"], done.json["digest_run"]) == ("done", True, plan["digest"])
    assert done.json["done"] == {"brought": 1, "meanwhile": 0, "failed": 0}
    verified = await replay(world, "verify", plan["id"], "--json")
    assert (verified.status, verified.json["left"], verified.json["equal"]) == (0, 0, True)
    assert verified.json["plan"]["counts"]["handled"] == 1
    await planned(world, order_id, status=0)
    await world.flow()
    trace = (await run("trace", str(order_id), "--json", **location(world))).json
    assert [(mail["template"], mail["state"]) for mail in trace["mails"]] == [("receipt", "sent")]


async def test_people_read_what_would_happen_and_what_has_happened(world: World) -> None:
    order_id = await missed(world)
    plan = await replay(world, "plan", "notifier_svc", "--topic", "order.events", "--key", str(order_id))
    assert (plan.status, plan.err) == (1, "")
    lines = plan.out.splitlines()
    words = lines[0].split()
    assert words[0] == "plan"
    assert lines[0].endswith("missing  order.events, partitions 0–1, up to what the group has committed")
    assert ["to", "bring", "1"] in [line.split()[:3] for line in lines]
    assert any("say --mails send or --mails withhold" in line for line in lines)
    assert lines[-1] == "nothing was changed"
    done = await replay(world, "run", words[1], "--mails", "withhold", *WHY)
    assert done.status == 0
    assert ["brought", "1"] in [line.split() for line in done.out.splitlines()]
    assert "equal to the plan's" in done.out
    shown = await replay(world, "show", words[1])
    assert (shown.status, "on the topic" in shown.out, "equal to the plan's" in shown.out) == (0, True, True)
    verified = await replay(world, "verify", words[1])
    assert verified.out.splitlines()[-1] == "✓ equal to its plan, and nothing is left to bring"
    listed = await replay(world, "list", "--group", "notifier_svc")
    assert next(line for line in listed.out.splitlines() if line.startswith(words[1])).split()[4:8] == [
        *("1", "1", "0"),
        "yes",
    ]
    assert "mails withheld" in (await run("audit", "--settle", "0", **location(world))).out


async def test_a_run_that_would_send_mails_needs_a_decision(world: World) -> None:
    plan = await planned(world, await missed(world))
    assert_failed(
        await replay(world, "run", plan["id"], *WHY),
        "cannot run the replay: notifier: it would send 1 mails: say --mails send or --mails withhold",
    )
    assert (await replay(world, "show", plan["id"], "--json")).json["state"] == "planned"
    assert (await replay(world, "run", plan["id"], "--mails", "withhold", *WHY)).status == 0


async def test_what_is_left_is_found_by_a_verification(world: World) -> None:
    plan = await planned(world, order_id := await missed(world), "--mails", "withhold")
    assert (await replay(world, "run", plan["id"], *WHY)).status == 0
    [event] = [
        one.id for one in world.sent if one.headers["ce_type"] == "order.confirmed" and one.key == str(order_id)
    ]
    await sql(world.mails, "DELETE FROM inbox WHERE event_id = :id", id=event)
    verified = await replay(world, "verify", plan["id"], "--json")
    assert (verified.status, verified.json["equal"], verified.json["left"]) == (1, True, 1)
    assert "1 events are left to bring" in (await replay(world, "verify", plan["id"])).out


async def test_an_event_that_fails_again_is_a_finding(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = await planned(world, await missed(world), "--mails", "withhold")
    monkeypatch.setattr("notifier_svc.mails.commands.QueueOrderMail.execute", lambda *_: 1 / 0)
    done = await replay(world, "run", plan["id"], "--json", *WHY)
    assert (done.status, done.json["done"]["failed"], done.json["equal"]) == (1, 1, True)
    verified = await replay(world, "verify", plan["id"])
    assert (verified.status, "some events are dead letters: 1" in verified.out) == (1, True)


async def test_a_run_is_paused_resumed_and_cancelled(world: World) -> None:
    first, second = await missed(world), await missed(world)
    since = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    made = await replay(world, "plan", "notifier_svc", "--since", since, "--mails", "withhold", "--json")
    plan = made.json
    assert plan["counts"]["to_bring"] >= 2, (first, second)
    assert_failed(await replay(world, "resume", plan["id"], *WHY), "it is planned, not paused: run it")
    started = await replay(world, "run", plan["id"], "--rate", "0.5", "--no-wait", "--json", *WHY)
    assert (started.status, started.json["state"], started.json["rate"]) == (0, "running", 0.5)
    paused = await replay(world, "pause", plan["id"], "--json", *WHY)
    assert (paused.status, paused.json["state"]) == (0, "paused")
    assert_failed(await replay(world, "verify", plan["id"]), "it is paused: only one that is done can be verified")
    resumed = await replay(world, "resume", plan["id"], "--json", *WHY)
    assert (resumed.status, resumed.json["state"]) == (0, "running")
    busy = await replay(world, "plan", "notifier_svc")
    assert_failed(busy, "cannot plan the replay: notifier: job_running: ")
    cancelled = await replay(world, "cancel", plan["id"], "--json", *WHY)
    assert (cancelled.status, cancelled.json["state"]) == (0, "cancelled")
    assert_failed(await replay(world, "run", plan["id"], *WHY), "job_state_conflict")


async def test_a_part_of_a_partition_is_planned(world: World) -> None:
    order_id = await missed(world)
    [found] = (
        await run("find", "--key", str(order_id), "--type", "order.confirmed", "--json", **location(world))
    ).json
    offset, partition = found["offset"], found["partition"]
    at = f"{partition}:{offset}-{offset + 1}"
    plan = await replay(world, "plan", "notifier_svc", "--topic", "order.events", "--offsets", at, "--json")
    assert (plan.status, plan.json["counts"]["on_topic"], plan.json["counts"]["to_bring"]) == (1, 1, 1)
    assert plan.json["spans"] == {f"order.events/{partition}": [offset, offset + 1]}
    beyond = f"{partition}:{offset}-999999"
    failed = await replay(world, "plan", "notifier_svc", "--topic", "order.events", "--offsets", beyond)
    assert_failed(failed, "cannot plan the replay: notifier: ", "is failed: offsets", "are not all on the topic")


async def test_convergent_handlers_run_again(world: World) -> None:
    buyer = await world.registered()
    await world.flow()
    await commit_all(world, "order_svc")
    options = ("--key", str(buyer), "--type", "customer.registered", "--mode", "again", "--json")
    plan = await replay(world, "plan", "order_svc", *options)
    assert (plan.status, plan.json["mode"], plan.json["counts"]["to_bring"]) == (1, "again", 1)
    done = await replay(world, "run", plan.json["id"], "--json", *WHY)
    assert (done.status, done.json["equal"], done.json["done"]["brought"]) == (0, True, 1)
    verified = await replay(world, "verify", plan.json["id"], "--json")
    assert (verified.status, verified.json["left"], verified.json["plan"]) == (0, None, None)


async def test_the_start_of_an_id_is_enough_while_no_other_has_it(world: World) -> None:
    ids = [(await planned(world, uuid7(), status=0))["id"] for _ in range(2)]
    start = next(ids[1][:length] for length in range(8, 36) if ids[0][:length] != ids[1][:length])
    assert (await replay(world, "show", start.upper(), "--json")).json["id"] == ids[1]
    assert_failed(await replay(world, "show", ids[0][:4]), f"ids begin with {ids[0][:4]}: give more of it")
    assert_failed(await replay(world, "show", "ffff"), "no id begins with ffff")
    unknown = str(uuid7())
    assert_failed(await replay(world, "show", unknown), f"cannot show the replay: no service has {unknown}")
    listed = (await replay(world, "list", "--limit", "2", "--json")).json
    assert [one["id"] for one in listed] == list(reversed(ids))


async def test_a_repeated_request_plans_once(world: World) -> None:
    key, order_id = str(uuid7()), uuid7()
    first, second = [await planned(world, order_id, "--request-id", key, status=0) for _ in range(2)]
    assert first["id"] == second["id"]


async def test_a_service_that_is_away_matters_if_the_replay_may_be_there(world: World) -> None:
    plan = await planned(world, uuid7(), status=0)
    away = location(world, PRODUCT_URL=f"http://127.0.0.1:{free_port()}")
    assert (await run("replay", "show", plan["id"], "--json", **away)).status == 0
    assert_failed(await run("replay", "show", str(uuid7()), **away), "product: ", "does not answer")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("plan", "notifier"), "did you mean notifier_svc?"),
        (("plan", "notifier_svc", "--topic", "order.event"), "did you mean order.events?"),
        (("plan", "notifier_svc", "--type", "order.place"), "did you mean order.placed?"),
        (("plan", "notifier_svc", "--topic", "order.events", "--offsets", "0:9-9"), "0:100-200 are 100 to 199"),
        (("plan", "notifier_svc", "--offsets", "0:1-9"), "give --topic as well"),
        (("plan", "notifier_svc", "--topic", "order.events", "--offsets", "0:1-2", "--offsets", "0:4-5"), "twice"),
        (("plan", "notifier_svc", "--topic", "product.events"), "notifier_svc subscribes to"),
        (("plan", "notifier_svc", "--mode", "again", "--mails", "send"), "again never sends a mail twice"),
        (("plan", "notifier_svc", "--mode", "rebuild"), "'rebuild' is not one of"),
        (("run", "01a2"), "Missing option '--why'"),
        (("cancel", "01a2"), "Missing option '--why'"),
        (("show", "my replay"), "is no id of a replay"),
    ],
)
async def test_a_mistake_is_one_line(world: World, arguments: tuple[str, ...], words: str) -> None:
    assert_failed(await replay(world, *arguments), words)
