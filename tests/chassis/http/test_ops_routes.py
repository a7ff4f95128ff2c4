"""Dead letters and their redrives as ops use them, on both databases; the names are what others asked for in vain."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import httpx

from chassis.jobs.loop import JobLoop
from chassis.jobs.redrive import RedriveRunner
from chassis.messaging.consumer import Consumer
from chassis.messaging.records import KafkaRecord
from chassis.messaging.redrive import Redrive
from chassis.persistence.database import Database
from chassis.testing import enveloped, record, records
from tests.chassis.tally import HANDLERS, Tallies, counted, letters, outbox, tally
from tests.responses import assert_problem

GROUP = "tally_svc"
API = httpx.AsyncClient
WHY = {"why": "a test"}
LETTERS, REDRIVES, ACTIONS = "/v1/ops/letters", "/v1/ops/redrives", "/v1/ops/actions"
TWO_STREAMS = ("A bug", "A two", "A three", "B bug", "B two")


def consumer(database: Database[Any]) -> Consumer[Tallies]:
    return Consumer(database, GROUP, Tallies, HANDLERS, tries=1)


async def handle(database: Database[Any], *events: str) -> list[UUID]:
    """Handle events about these SKUs, with these reasons; a ``bug`` becomes a dead letter. Return their ids."""
    batch = records(counted(sku, reason) for sku, _, reason in (event.partition(" ") for event in events))
    await consumer(database).handle(batch)
    return [UUID(dict(one.headers)["ce_id"].decode()) for one in batch]


async def unreadable(database: Database[Any], sku: str) -> None:
    await consumer(database).handle([record(replace(enveloped(counted(sku)), value=b"not JSON"))])


async def work_off(database: Database[Any]) -> int:
    """Do the oldest job, as the event process would; return how many there were."""

    async def gone(_record: KafkaRecord) -> bytes | None:
        return None

    redrive = Redrive(database, consumer(database), Tallies, gone)
    return await JobLoop(database, {"redrive": RedriveRunner(redrive)}).step()


async def post(api: API, path: str, body: Any, key: str | None = None) -> httpx.Response:
    return await api.post(path, json=body, headers={"Idempotency-Key": key or str(uuid4())})


async def act(api: API, event: UUID, action: str, key: str | None = None, **body: str) -> httpx.Response:
    return await post(api, f"{LETTERS}/{event}/{action}", WHY | body, key)


async def redriven(api: API, database: Database[Any], **selection: Any) -> dict[str, Any]:
    """Redrive a selection; return how that ended."""
    made = await post(api, REDRIVES, WHY | selection)
    assert made.status_code == 202, made.text
    assert await work_off(database) == 1
    found: dict[str, Any] = (await api.get(f"{REDRIVES}/{made.json()['id']}")).json()
    return found


async def actions(api: API) -> list[str]:
    return [one["action"] for one in (await api.get(ACTIONS)).json()["items"]]


async def states(api: API, *events: UUID) -> list[str]:
    return [(await api.get(f"{LETTERS}/{event}")).json()["state"] for event in events]


def value(reason: str) -> str:
    return counted("A", reason).model_dump_json()


async def test_mask_values_and_log_who_looked(api: API, database: Database[Any]) -> None:
    """kafbat/kafka-ui#1311."""
    [event, _] = await handle(database, "A bug", "A two")
    for path in ("", "/groups", "/groups?by=key", "/groups?by=type", f"/{event}"):
        shown = (await api.get(f"{LETTERS}{path}")).text
        assert "stock.adjusted" in shown
        assert "on_hand" not in shown
    for why in ({}, {"why": ""}, {"why": " \t"}, {"why": "\u00a0"}, {"why": "a\u0000b"}, {"why": "x" * 501}):
        assert_problem(await post(api, f"{LETTERS}/{event}/reveal", why), 422, "malformed_request")
    assert await actions(api) == []
    revealed = (await act(api, event, "reveal", why="customer complains")).json()
    assert ("on_hand" in revealed["value"], revealed["original"]) == (True, None)
    [action] = (await api.get(ACTIONS)).json()["items"]
    assert (action["action"], action["subject"], action["why"]) == ("letter.reveal", str(event), "customer complains")


async def test_a_list_has_pages_and_filters(api: API, database: Database[Any]) -> None:
    events = await handle(database, *TWO_STREAMS)
    await unreadable(database, "C")
    found: list[dict[str, Any]] = []
    after: str | None = ""
    while after is not None:
        page = (await api.get(f"{LETTERS}?limit=2{after and '&cursor='}{after}")).json()
        found, after = [*found, *page["items"]], page["next"]
    assert len({one["event_id"] for one in found}) == 6
    queries = ("state=dead", "state=parked", "key=A", "type=stock.adjusted", "type=stock", "fingerprint=x", "key=%F0")
    counts = [len((await api.get(f"{LETTERS}?{query}")).json()["items"]) for query in queries]
    assert counts == [3, 3, 3, 6, 0, 0, 0]
    groups = (await api.get(f"{LETTERS}/groups")).json()["items"]
    assert sorted((one["reason"], one["dead"], one["parked"]) for one in groups) == [
        ("bad_payload", 1, 0),
        ("handler_failed", 2, 0),
        ("parked", 0, 3),
    ]
    assert (await api.get(f"{LETTERS}/groups?by=key")).json()["items"][0]["example"] == str(events[0])


async def test_an_edit_that_does_not_decode_changes_nothing(api: API, database: Database[Any]) -> None:
    [event] = await handle(database, "A bug")
    before = (await api.get(f"{LETTERS}/{event}")).json()
    for text in ("{}", "not JSON", "[" * 10_000, "\x00", "null", value("x").replace('"A"', '"\\ud800"')):
        assert_problem(await act(api, event, "edit", value=text), 422, "letter_undecodable")
    assert (await api.get(f"{LETTERS}/{event}")).json() == before
    assert await actions(api) == []


async def test_edit_and_retry_sent_both_and_a_second_edit_was_ignored(api: API, database: Database[Any]) -> None:
    """Particular/ServiceControl#4983, #4841."""
    [event] = await handle(database, "A bug")
    for reason in ("first", "second"):
        assert (await act(api, event, "edit", value=value(reason))).json()["edited"] is True
    revealed = (await act(api, event, "reveal")).json()
    assert (revealed["value"], revealed["original"]) == (value("second"), value("bug"))
    done = await redriven(api, database, letters=[str(event)])
    assert (done["state"], done["brought"], done["failed"]) == ("done", 1, 0)
    counted_once = await tally(database, "A")
    assert counted_once is not None
    assert (counted_once.total, counted_once.seen) == (1, "second ")
    assert [topic for topic, _ in await outbox(database) if topic == "stock.events"] == ["stock.events"]
    for action, body in (("edit", {"value": value("third")}), ("discard", {})):
        problem = assert_problem(await act(api, event, action, **body), 409, "letter_closed")
        assert problem["state"] == "redriven"


async def test_batch_and_single_redrive_handled_twice(api: API, database: Database[Any]) -> None:
    """Particular/ServiceControl#4797."""
    events = await handle(database, "A bug", "A two")
    await act(api, events[0], "edit", value=value("one"))
    for selection in ({"all": True}, {"letters": [str(events[0]), str(events[0]), str(events[1])]}):
        assert (await post(api, REDRIVES, WHY | selection)).status_code == 202
    assert (await work_off(database), await work_off(database), await work_off(database)) == (1, 1, 0)
    second, first = (await api.get(REDRIVES)).json()["items"]
    assert (first["brought"], first["skipped"]) == (2, 0)
    assert (second["selected"], second["brought"], second["skipped"]) == (2, 0, 2)
    found = await tally(database, "A")
    assert found is not None
    assert found.seen == "one two "


async def test_the_same_request_sent_twice_is_done_once(api: API, database: Database[Any]) -> None:
    events = await handle(database, "A bug", "A two", "B bug")
    requests: Sequence[tuple[str, dict[str, Any], dict[str, Any]]] = [
        (f"{LETTERS}/{events[0]}/edit", {"value": value("one")}, {"value": value("other")}),
        (f"{LETTERS}/{events[2]}/discard", {}, {"why": "another reason"}),
        (f"{LETTERS}/{events[0]}/reveal", {}, {"why": "another reason"}),
        (REDRIVES, {"all": True}, {"all": True, "dry_run": True}),
    ]
    # The same key for all: it belongs to one route.
    for path, body, _ in requests:
        assert (await post(api, path, WHY | body, "key")).is_success
    await work_off(database)
    for path, body, other in requests:
        assert (await post(api, path, WHY | body, "key")).is_success, "nothing is left to do, and it is no error"
        assert_problem(await post(api, path, WHY | body | other, "key"), 422, "idempotency_key_reused")
    assert await actions(api) == ["letter.redrive", "letter.reveal", "letter.discard", "letter.edit"]
    assert len((await api.get(REDRIVES)).json()["items"]) == 1
    assert await letters(database) == [
        ("redriven", "handler_failed"),
        ("redriven", "parked"),
        ("discarded", "handler_failed"),
    ]


async def test_the_same_request_sent_twice_at_once_is_done_once(api: API, database: Database[Any]) -> None:
    [event] = await handle(database, "A bug")
    for path, body in ((REDRIVES, WHY | {"key": "A"}), (f"{LETTERS}/{event}/discard", WHY)):
        same = await asyncio.gather(*(post(api, path, body, "key") for _ in range(4)))
        assert [one.is_success for one in same] == [True] * 4, [one.text for one in same]
        assert len({one.text for one in same}) == 1
    assert await actions(api) == ["letter.discard", "letter.redrive"]


async def test_a_change_needs_a_key(api: API, database: Database[Any]) -> None:
    [event] = await handle(database, "A bug")
    for path in (f"{LETTERS}/{event}/discard", f"{LETTERS}/{event}/reveal", REDRIVES):
        for headers in ({}, {"Idempotency-Key": "a b"}, {"Idempotency-Key": "x" * 256}):
            response = await api.post(path, json=WHY | ({"all": True} if path == REDRIVES else {}), headers=headers)
            assert_problem(response, 422, "malformed_request")
    assert await actions(api) == []


async def test_discarding_makes_the_next_letter_the_head(api: API, database: Database[Any]) -> None:
    events = await handle(database, "A bug", "A two", "A three")
    await act(api, events[1], "discard")
    assert await states(api, *events) == ["dead", "discarded", "parked"]
    await act(api, events[0], "discard")
    assert await states(api, *events) == ["discarded", "discarded", "dead"]
    assert (await redriven(api, database, all=True))["brought"] == 1
    found = await tally(database, "A")
    assert found is not None
    assert found.seen == "three "


async def test_a_redacted_letter_is_never_shown_or_edited(api: API, database: Database[Any]) -> None:
    customer = uuid4()
    [event, later] = await handle(database, "A bug", f"A about {customer}")
    for text in (f"for {customer}", "for nobody"):
        # What it was about is looked for in the first value too.
        await act(api, later, "edit", value=value(text))
    async with database.transaction() as tx:
        await database.dead_letters.redact(tx, [customer])
    assert_problem(await act(api, later, "reveal"), 409, "letter_redacted")
    assert_problem(await act(api, later, "edit", value=value("x")), 409, "letter_redacted")
    shown = (await api.get(f"{LETTERS}/{later}")).json()
    assert shown["redacted"] is True
    assert (await act(api, later, "discard")).json()["state"] == "discarded"
    assert await states(api, event) == ["dead"]


async def test_redrive_all_of_a_kind(api: API, database: Database[Any]) -> None:
    """Bulk redrive, kafbat/kafka-ui#1920."""
    events = await handle(database, *TWO_STREAMS)
    await unreadable(database, "C")
    shown = (await api.get(f"{LETTERS}/{events[0]}")).json()
    cases: Sequence[tuple[dict[str, Any], int]] = (
        ({"all": True}, 3),
        ({"type": "stock.adjusted"}, 3),
        ({"key": "B"}, 1),
        ({"fingerprint": shown["fingerprint"]}, 2),
        ({"letters": [str(events[3])]}, 1),
    )
    for selection, heads in cases:
        done = await redriven(api, database, **selection, dry_run=True)
        assert (done["selected"], done["streams"], done["failed"], done["brought"]) == (heads, heads, heads, 0)
    assert [one["state"] for one in (await api.get(LETTERS)).json()["items"]].count("parked") == 3
    nothing: Sequence[dict[str, Any]] = ({"key": "none"}, {"type": "none"}, {"fingerprint": "none"})
    for selection in nothing:
        assert_problem(await post(api, REDRIVES, WHY | selection), 422, "nothing_selected")
    assert_problem(await post(api, REDRIVES, WHY | {"letters": [str(uuid4())]}), 404, "letter_not_found")


async def test_a_group_that_grew_between_looking_and_running(api: API, database: Database[Any]) -> None:
    """Particular/ServiceControl#660: the selection is frozen."""
    [event] = await handle(database, "A bug")
    await act(api, event, "edit", value=value("one"))
    job = (await post(api, REDRIVES, WHY | {"all": True})).json()["id"]
    [late] = await handle(database, "B bug")
    await work_off(database)
    done = (await api.get(f"{REDRIVES}/{job}")).json()
    assert (done["selected"], [one["event_id"] for one in done["results"]]) == (1, [str(event)])
    assert await states(api, event, late) == ["redriven", "dead"]


async def test_a_bad_selection_is_refused(api: API) -> None:
    bodies: Sequence[dict[str, Any]] = (
        *({}, {"all": False}, {"all": True, "key": "A"}, {"key": "A", "type": "x"}, {"letters": []}),
        *({"letters": ["x"]}, {"letters": [1]}, {"key": "\x00"}, {"type": "a\x00"}, {"fingerprint": "\x00"}),
        *({"key": "x" * 501}, {"all": True, "dry_run": 1}, {"all": True, "why": " "}, {"all": True, "unknown": 1}),
    )
    for body in bodies:
        assert_problem(await post(api, REDRIVES, WHY | body), 422, "malformed_request")


async def test_a_bad_query_is_refused(api: API) -> None:
    bad = ("key=%00", "type=%00", "fingerprint=a%00b", "state=x", "cursor=x", "limit=0", f"key={'x' * 501}")
    for query in bad:
        assert_problem(await api.get(f"{LETTERS}?{query}"), 422, "malformed_request")
    for path in (
        f"{LETTERS}/groups?by=x",
        f"{REDRIVES}?cursor=x",
        f"{ACTIONS}?cursor=-1",
        f"{ACTIONS}?cursor={2**63}",
    ):
        assert_problem(await api.get(path), 422, "malformed_request")
    for path, code in ((LETTERS, "letter_not_found"), (REDRIVES, "job_not_found")):
        assert_problem(await api.get(f"{path}/{uuid4()}"), 404, code)
