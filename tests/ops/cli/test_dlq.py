"""``shop dlq``: dead letters of all services are listed, shown, edited, redriven and discarded."""

import json
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from chassis.testing import enveloped, record
from schemas import Message, StockReserved
from tests.ops.cli.job_loops import job_loops
from tests.ops.cli.program import Result, assert_failed, location, run
from tests.ops.world import World, sql

WHY = ("--why", "a test")
MEMBERS = {
    *("event_id", "group", "state", "stream", "topic", "partition", "offset"),
    *("type", "reason", "fingerprint", "at"),
}


@pytest.fixture(scope="module", autouse=True)
async def _jobs(world: World) -> AsyncIterator[None]:
    async with job_loops(world):
        yield


async def dlq(world: World, *arguments: str, **env: str) -> Result:
    return await run("dlq", *arguments, **location(world), **env)


async def listed(world: World, *options: str) -> list[dict[str, Any]]:
    result = await dlq(world, "list", "--json", *options)
    assert (result.status, result.err) == (0, "")
    found: list[dict[str, Any]] = result.json
    return found


async def states(world: World, *options: str) -> dict[str, str]:
    """Event → state."""
    every = ("dead", "parked", "redriven", "discarded")
    options = (*options, *(word for state in every for word in ("--state", state)))
    return {one["event_id"]: one["state"] for one in await listed(world, *options)}


async def reply(order_id: UUID, world: World, **changes: Any) -> Message:
    """A reply about an order that order_svc does not know: it becomes a dead letter."""
    message = replace(enveloped(StockReserved(order_id=order_id, lines=())), **changes)
    await world.consume(message)
    return message


async def unreadable(world: World) -> tuple[Message, str]:
    """A confirmed order whose event notifier_svc could not read, and the value that it should have had."""
    order_id = await world.placed({await world.product(): 1})
    await world.flow(stopped=["notifier_svc"])
    [event] = [one for one in world.sent if one.headers["ce_type"] == "order.confirmed" and one.key == str(order_id)]
    await world.consumers["notifier_svc"].handle([record(replace(event, value=b'{"broken": true}'))])
    return event, event.value.decode()


async def test_letters_of_all_services_are_listed_with_their_causes(world: World) -> None:
    order_id, (event, _) = uuid7(), await unreadable(world)
    first, second = [await reply(order_id, world) for _ in range(2)]
    found = {one["event_id"]: one for one in await listed(world)}
    assert found.keys() >= {str(event.id), str(first.id), str(second.id)}
    assert all(one.keys() >= MEMBERS for one in found.values())
    dead = found[str(first.id)]
    assert (dead["group"], dead["state"], dead["type"]) == ("order_svc", "dead", "stock.reserved")
    assert (dead["stream"], dead["reason"]) == (f"stock.events/{order_id}", "handler_failed")
    assert found[str(second.id)]["state"] == "parked"
    assert found[str(event.id)]["reason"] == "bad_payload"
    assert [one["event_id"] for one in await listed(world, "--state", "parked", "--key", str(order_id))] == [
        str(second.id)
    ]
    assert {one["group"] for one in await listed(world, "--group", "notifier_svc")} == {"notifier_svc"}
    assert {one["type"] for one in await listed(world, "--type", "order.confirmed")} == {"order.confirmed"}
    causes = await listed(world, "--fingerprint", dead["fingerprint"])
    assert str(first.id) in [one["event_id"] for one in causes]
    shown = (await dlq(world, "list", "--key", str(order_id))).out.splitlines()
    assert [line.split()[:3] for line in shown[1:]] == [
        [str(first.id), "order_svc", "dead"],
        [str(second.id), "order_svc", "parked"],
    ]
    assert "no dead letters" in (await dlq(world, "list", "--key", "nobody")).out


@pytest.mark.parametrize("by", ["fingerprint", "type", "key"])
async def test_letters_are_counted_by_cause_type_or_key(world: World, by: str) -> None:
    order_id = uuid7()
    first = await reply(order_id, world)
    await reply(order_id, world)
    [letter] = await listed(world, "--key", str(order_id), "--state", "dead")
    groups = await listed(world, "--by", by, "--key", str(order_id))
    # What is parked has no cause of its own.
    assert [(one["dead"], one["parked"]) for one in groups] == ([(1, 0), (0, 1)] if by == "fingerprint" else [(1, 1)])
    group = next(one for one in groups if one["dead"])
    assert (group["group"], group["type"]) == ("order_svc", "stock.reserved")
    assert group["example"] == str(first.id) == letter["event_id"]
    assert group["value"] == letter[by]
    shown = (await dlq(world, "list", "--by", by)).out
    assert by in shown.splitlines()[0]
    assert group["value"] in shown


async def test_a_letter_is_shown_and_its_value_only_for_a_reason_that_is_recorded(world: World) -> None:
    letter = await reply(uuid7(), world)
    shown = await dlq(world, "show", str(letter.id))
    assert shown.status == 0
    assert "LookupError" in shown.out
    assert "order_id" not in shown.out
    refused = await dlq(world, "show", str(letter.id), "--reveal")
    assert_failed(refused, "--reveal needs a reason")
    revealed = await dlq(world, "show", str(letter.id), "--reveal", "--json", *WHY)
    assert json.loads(revealed.json["value"]) == json.loads(letter.value)
    assert revealed.json["original"] is None
    assert '"order_id"' in (await dlq(world, "show", str(letter.id), "--reveal", *WHY)).out
    actions = (await run("actions", "--group", "order_svc", "--json", **location(world))).json
    assert [(one["action"], one["subject"], one["why"]) for one in actions[-2:]] == [
        ("letter.reveal", str(letter.id), "a test")
    ] * 2


async def test_a_letter_is_edited_and_redriven(world: World, tmp_path: Path) -> None:
    letter, good = await unreadable(world)
    bad, fixed = tmp_path / "bad.json", tmp_path / "fixed.json"
    bad.write_text('{"still": "broken"}')
    fixed.write_text(good)
    failed = await dlq(world, "redrive", str(letter.id), "--json", *WHY)
    assert (failed.status, failed.json["brought"], failed.json["failed"]) == (1, 0, 1)
    [result] = failed.json["results"]
    assert (result["event_id"], result["outcome"], result["group"]) == (str(letter.id), "failed", "notifier_svc")
    assert_failed(await dlq(world, "edit", str(letter.id), "--file", str(bad), *WHY), "letter_undecodable")
    edited = await dlq(world, "edit", str(letter.id), "--file", str(fixed), "--json", *WHY)
    assert (edited.status, edited.json["edited"], edited.json["state"]) == (0, True, "dead")
    tried = await dlq(world, "redrive", str(letter.id), "--dry-run", *WHY)
    assert (tried.status, tried.out.splitlines()[0]) == (
        0,
        "notifier_svc  would be brought 1 · failed 0 · skipped 0",
    )
    assert (await states(world, "--key", letter.key))[str(letter.id)] == "dead"
    redriven = await dlq(world, "redrive", str(letter.id), "--json", *WHY)
    assert (redriven.status, redriven.json["brought"], redriven.json["failed"]) == (0, 1, 0)
    assert (await states(world, "--key", letter.key))[str(letter.id)] == "redriven"
    again = await dlq(world, "redrive", str(letter.id), "--json", *WHY)
    assert (again.status, again.json["skipped"]) == (0, 1)
    assert_failed(await dlq(world, "edit", str(letter.id), "--file", str(fixed), *WHY), "letter_closed")


async def test_a_letter_is_edited_in_the_editor(world: World, tmp_path: Path) -> None:
    letter, good = await unreadable(world)
    (tmp_path / "good.json").write_text(good)
    editor = tmp_path / "editor.py"
    editor.write_text(
        "import pathlib, sys\n"
        "path, good = pathlib.Path(sys.argv[1]), pathlib.Path(__file__).with_name('good.json')\n"
        "assert path.read_text() == '{\\n  \"broken\": true\\n}\\n' and path.parent.stat().st_mode & 0o77 == 0\n"
        "path.write_text(good.read_text())\n"
    )
    command = f"{sys.executable} {editor}"
    edited = await dlq(world, "edit", str(letter.id), *WHY, EDITOR=command, VISUAL="")
    assert (edited.status, edited.err) == (0, "")
    assert f"shop dlq redrive {letter.id}" in edited.out
    same = await dlq(world, "edit", str(letter.id), *WHY, EDITOR="true", VISUAL="")
    assert_failed(same, "the value was not changed in the editor")
    assert_failed(await dlq(world, "edit", str(letter.id), *WHY, EDITOR="false", VISUAL=""), "status 1")
    assert_failed(await dlq(world, "edit", str(letter.id), *WHY, EDITOR="no-such-editor", VISUAL=""), "cannot be")
    assert_failed(await dlq(world, "edit", str(letter.id), *WHY, EDITOR="", VISUAL=""), "set EDITOR")


async def test_those_with_one_cause_are_redriven_in_all_services_and_failures_have_reasons(world: World) -> None:
    known, unknown = await world.placed({await world.product(): 1}), uuid7()
    await sql(world.orders, "UPDATE orders SET id = :other WHERE id = :id", id=known, other=(hidden := uuid7()))
    letters = [await reply(order_id, world) for order_id in (known, known, unknown)]
    await sql(world.orders, "UPDATE orders SET id = :id WHERE id = :other", id=known, other=hidden)
    [fingerprint] = {one["fingerprint"] for one in await listed(world, "--key", str(unknown))}
    others = {one["event_id"] for one in await listed(world)} - {str(one.id) for one in letters}
    for event in others:
        assert (await dlq(world, "discard", event, *WHY)).status in (0, 2)
    result = await dlq(world, "redrive", "--fingerprint", fingerprint, "--json", *WHY)
    assert (result.status, result.json["brought"], result.json["failed"]) == (1, 2, 1)
    [failed] = [one for one in result.json["results"] if one["outcome"] == "failed"]
    assert failed["event_id"] == str(letters[2].id)
    assert "LookupError" in failed["reason"]
    shown = await dlq(world, "redrive", "--all", *WHY)
    assert shown.status == 1
    assert f"{letters[2].id}  failed  LookupError" in shown.out


async def test_letters_are_discarded(world: World) -> None:
    order_id = uuid7()
    first, second = [await reply(order_id, world) for _ in range(2)]
    discarded = await dlq(world, "discard", str(first.id), "--json", *WHY)
    about = {"event_id": str(first.id), "group": "order_svc"}
    assert (discarded.status, discarded.json) == (0, [{**about, "state": "discarded", "error": None}])
    assert await states(world, "--key", str(order_id)) == {str(first.id): "discarded", str(second.id): "dead"}
    assert_failed(await dlq(world, "discard", str(first.id), *WHY), "cannot discard: order: letter_closed: ")
    both = await dlq(world, "discard", str(first.id), str(second.id), *WHY)
    assert both.status == 1
    assert await states(world, "--key", str(order_id)) == {str(first.id): "discarded", str(second.id): "discarded"}


async def test_nothing_is_changed_if_one_of_the_events_is_no_letter(world: World) -> None:
    letter, unknown = await reply(uuid7(), world), str(uuid7())
    for command in ("discard", "redrive"):
        failed = await dlq(world, command, str(letter.id), unknown, *WHY)
        assert_failed(failed, f"{unknown} is no dead letter")
    assert (await states(world, "--key", letter.key))[str(letter.id)] == "dead"
    elsewhere = await dlq(world, "show", str(letter.id), "--group", "product_svc")
    assert_failed(elsewhere, f"{letter.id} is no dead letter of product_svc")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("redrive", *WHY), "say which, in one way"),
        (("redrive", "--all", "--type", "order.placed", *WHY), "say which, in one way"),
        (("redrive", str(UUID(int=1)), "--all", *WHY), "say which, in one way"),
        (("redrive", "--fingerprint", "f00", *WHY), "no dead letter matches"),
        (("redrive", "--all"), "Missing option '--why'"),
        (("discard", *WHY), "Missing argument 'EVENT"),
        (("discard", "4711", *WHY), "Invalid value for 'EVENT"),
        (("list", "--by", "reason"), "'reason' is not one of"),
        (("list", "--by", "key", "--state", "dead"), "leave out --state"),
        (("list", "--group", "orders"), "did you mean order_svc?"),
        (("edit", str(UUID(int=1)), "--file", "/nowhere/f.json", *WHY), "/nowhere/f.json: No such file"),
        (("edit", str(UUID(int=1)), "--file", "/dev/null", *WHY), "/dev/null is empty"),
        (("edit", str(UUID(int=1)), "--file", sys.executable, *WHY), "is not UTF-8"),
    ],
)
async def test_a_mistake_is_one_line(world: World, arguments: tuple[str, ...], words: str) -> None:
    assert_failed(await dlq(world, *arguments), words)
