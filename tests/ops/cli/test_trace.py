"""``shop trace``: from a key to everything that belongs to it, with its exit status, and without personal data."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from uuid_utils.compat import uuid7

from chassis.testing import enveloped
from notifier_svc.delivery.commands import MarkFailed, MarkSent
from schemas import StockReserved
from tests.ops.cli.program import Result, assert_failed, location, run
from tests.ops.world import ADDRESS, World

PERSONAL = (ADDRESS.name, ADDRESS.street, ADDRESS.city, ADDRESS.postal_code, "@example")
JOURNEY = ["order.placed", "stock.reserved", "order.confirmed", "notification.mail_sent"]


async def traced(world: World, *arguments: str) -> Result:
    """Run ``shop trace``; nothing personal may be in its output."""
    result = await run("trace", *arguments, **location(world))
    assert [one for one in PERSONAL if one in result.out] == []
    return result


async def found(world: World, key: object, *options: str) -> Any:
    """What ``shop trace --json`` prints."""
    result = await traced(world, str(key), "--json", *options)
    assert (result.status, result.err) == (0, ""), result
    return result.json


def types(trace: Any) -> list[str]:
    return [event["type"] for event in trace["events"]]


def verdicts(trace: Any, type_: str) -> dict[str, str]:
    """Group → verdict about the first event of a type."""
    event = next(event for event in trace["events"] if event["type"] == type_)
    return {one["group"]: one["verdict"] for one in event["groups"]}


async def test_an_order_is_traced_from_the_request_to_the_mail(world: World) -> None:
    sku = await world.product(10)
    order_id = await world.confirmed(sku, 2)
    trace = await found(world, order_id)
    assert (trace["key"], trace["kind"], trace["notes"]) == (str(order_id), "order", [])
    assert types(trace) == JOURNEY
    assert [(event["topic"], event["version"]) for event in trace["events"]] == [
        ("order.events", 1),
        ("stock.events", 1),
        ("order.events", 2),
        ("notification.events", 1),
    ]
    assert [event["at"] for event in trace["events"]] == sorted(event["at"] for event in trace["events"])
    for event in trace["events"]:
        assert (event["partition"] in (0, 1), event["offset"] >= 0, event["order_id"]) == (True, True, str(order_id))
    assert verdicts(trace, "order.placed") == {"product_svc": "handled"}
    assert verdicts(trace, "stock.reserved") == {"order_svc": "handled"}
    assert verdicts(trace, "order.confirmed") == {"notifier_svc": "handled"}
    placed, reserved, confirmed, _ = trace["events"]
    assert (reserved["cause"], confirmed["cause"]) == (placed["id"], reserved["id"])
    assert [(order["state"], order["version"]) for order in trace["orders"]] == [("CONFIRMED", 2)]
    assert [step["type"] for step in trace["saga"]] == JOURNEY
    assert [(one["state"], one["held"]) for one in trace["reservations"]] == [("held", [{"sku": sku, "quantity": 2}])]
    assert [(mail["template"], mail["state"]) for mail in trace["mails"]] == [("receipt", "sent")]


async def test_shipments_and_returns_are_stock_movements_of_the_order(world: World) -> None:
    sku = await world.product(10)
    order_id = await world.confirmed(sku, 3)
    await world.fulfilled(order_id, {sku: 1})
    trace = await found(world, order_id)
    assert [(one["reason"], one["delta"]) for one in trace["movements"]] == [
        ("shipment", -1),
        ("shipment", -2),
        ("return", 1),
    ]
    assert types(trace).count("stock.committed") == 2
    assert types(trace)[-1] == "notification.mail_sent"
    assert trace["notes"] == []


async def test_people_get_a_tree_with_the_times_between(world: World) -> None:
    order_id = await world.confirmed()
    result = await traced(world, str(order_id))
    assert result.status == 0
    assert "CONFIRMED" in result.out
    lines = result.out.splitlines()
    depth = {type_: next(line.index(type_) for line in lines if type_ in line) for type_ in JOURNEY[:3]}
    assert depth["order.placed"] < depth["stock.reserved"] < depth["order.confirmed"], "each below its cause"
    assert next(line for line in lines if "stock.reserved" in line).count(" ms") == 1
    assert any("mail receipt" in line and "sent" in line for line in lines)


async def test_a_dead_letter_is_shown_with_its_time(world: World) -> None:
    # A reply about an order that was never stored.
    dead = enveloped(StockReserved(order_id=uuid7(), lines=()))
    await world.send(dead)
    await world.consume(dead)
    trace = await found(world, dead.id)
    assert (trace["kind"], types(trace)) == ("event", ["stock.reserved"])
    [group] = trace["events"][0]["groups"]
    assert (group["group"], group["verdict"], group["at"] is not None) == ("order_svc", "dead", True)
    assert "order_svc dead" in (await traced(world, str(dead.id))).out


async def test_an_order_with_a_dead_letter_shows_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id = await world.placed({await world.product(): 1})
    monkeypatch.setattr("notifier_svc.mails.commands.QueueOrderMail.execute", lambda *_: 1 / 0)
    await world.flow()
    trace = await found(world, order_id)
    assert types(trace) == JOURNEY[:3]
    [group] = trace["events"][-1]["groups"]
    assert (group["group"], group["verdict"]) == ("notifier_svc", "dead")
    assert trace["mails"] == []


async def test_an_event_that_is_not_handled_yet_is_unknown_to_its_group(world: World) -> None:
    order_id = await world.placed({await world.product(): 1})
    await world.flow(stopped=["product_svc"])
    trace = await found(world, order_id)
    assert (types(trace), verdicts(trace, "order.placed")) == (["order.placed"], {"product_svc": "unknown"})
    assert "product_svc not handled yet" in (await traced(world, str(order_id))).out


async def test_an_event_that_waits_in_the_outbox_is_noted(world: World) -> None:
    order_id = await world.placed({await world.product(): 1})
    trace = await found(world, order_id)
    assert (trace["events"], trace["orders"][0]["state"]) == ([], "PENDING")
    assert trace["notes"] == [f"1 of 1 events of order.events about {order_id} are not on the topic (yet)"]


async def test_an_event_leads_to_its_order_and_is_marked(world: World) -> None:
    order_id = await world.confirmed()
    wanted = (await found(world, order_id))["events"]
    for event in wanted:
        trace = await found(world, event["id"])
        assert (trace["kind"], types(trace)) == ("event", JOURNEY)
        assert [one["id"] for one in trace["events"] if one["marked"]] == [event["id"]]
    assert "→" in (await traced(world, wanted[1]["id"])).out


async def test_a_trace_id_leads_to_its_order(world: World) -> None:
    order_id = uuid7()
    trace_id = uuid4().hex
    message = enveloped(StockReserved(order_id=order_id, lines=()))
    message.headers["ce_traceparent"] = f"00-{trace_id}-00f067aa0ba902b7-01"  # type: ignore[index]
    await world.send(message)
    for text in (trace_id, trace_id.upper(), f"00-{trace_id}-00f067aa0ba902b7-01"):
        trace = await found(world, text)
        assert (trace["key"], trace["kind"]) == (trace_id, "trace_id")
        assert [(one["id"], one["marked"], one["trace_id"]) for one in trace["events"]] == [
            (str(message.id), True, trace_id)
        ]
    assert (await traced(world, uuid4().hex)).status == 1


async def test_a_customer_is_traced_by_e_mail_address_without_showing_it(world: World) -> None:
    buyer = await world.registered()
    await world.flow()
    orders = [await world.placed({await world.product(): 1}, buyer) for _ in range(2)]
    await world.flow()
    trace = await found(world, f"{buyer}@example.com")
    assert (trace["key"], trace["kind"], trace["account"]["status"]) == (str(buyer), "customer", "active")
    assert [order["id"] for order in trace["orders"]] == list(map(str, reversed(orders)))
    assert types(trace).count("order.confirmed") == 2
    assert "customer.registered" in types(trace)
    assert {mail["template"] for mail in trace["mails"]} == {"welcome", "receipt"}
    assert trace["notes"] == []
    assert (await found(world, buyer))["events"] == trace["events"]
    assert (await traced(world, f"{buyer}@example.com")).status == 0


async def test_only_the_newest_orders_of_a_customer_are_traced(world: World) -> None:
    buyer, sku = await world.registered(), await world.product(50)
    orders = [await world.placed({sku: 1}, buyer) for _ in range(7)]
    await world.flow()
    trace = await found(world, buyer)
    assert [order["id"] for order in trace["orders"]] == list(map(str, reversed(orders[2:])))
    assert trace["notes"] == ["only the 5 newest orders are shown: trace others by their ids"]


async def test_a_mail_that_was_sent_after_all_has_both_of_its_events(world: World) -> None:
    order_id = await world.placed({await world.product(): 1})
    await world.flow(send_mails=False)
    mail = world.mail("receipt", order_id)
    await world.commits["notifier_svc"](MarkFailed(mail, None, "550 no such mailbox"))
    await world.flow()
    assert types(await found(world, order_id))[-1] == "notification.mail_failed"
    await world.commits["notifier_svc"](MarkSent(mail))
    await world.flow()
    trace = await found(world, order_id)
    assert types(trace)[-2:] == ["notification.mail_failed", "notification.mail_sent"]
    assert [(one["id"], one["state"]) for one in trace["mails"]] == [(str(mail), "sent")]
    assert trace["notes"] == []


@pytest.mark.parametrize(
    "key",
    [uuid7(), uuid4(), UUID(int=0), uuid4().hex, "nobody@example.com"],
    ids=["UUIDv7", "UUIDv4", "zero", "trace", "mail address"],
)
async def test_of_an_unknown_key_nothing_is_found(world: World, key: object) -> None:
    result = await run("trace", str(key), **location(world))
    assert (result.status, result.out, result.err) == (1, "", "nothing is known of it\n")


@pytest.mark.parametrize("key", ["Ada Lovelace", "4711", "019b7c61-0000-7000-8000", "ada@", "@", ""])
async def test_a_key_that_is_none_is_a_mistake(world: World, key: str) -> None:
    result = await run("trace", key, **location(world))
    assert_failed(result, "cannot trace it: this is neither the id of")
    assert "Ada" not in result.err


async def test_a_search_that_was_cut_short_does_not_say_that_there_is_nothing(world: World) -> None:
    order_id = await world.confirmed()
    assert_failed(
        await run("trace", str(uuid7()), "--seconds", "0", **location(world)), "before the time was over", "--seconds"
    )
    trace = await found(world, order_id, "--seconds", "0")
    assert (trace["events"], trace["orders"][0]["state"]) == ([], "CONFIRMED")
    assert trace["notes"][-1] == "the search was ended before everything was read: give it more --seconds"
