"""Replays as ops request them, on both databases; ``tests/chassis/replay`` runs them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
from uuid_utils.compat import uuid7

from chassis.jobs.domain import Job, State
from chassis.persistence.database import Database
from tests.responses import assert_problem

API = httpx.AsyncClient
WHY = {"why": "a test"}
REPLAYS = "/v1/ops/replays"


async def plan(api: API, once: str | None = None, /, **body: Any) -> httpx.Response:
    return await api.post(REPLAYS, json=WHY | body, headers={"Idempotency-Key": once or str(uuid4())})


async def change(api: API, job: UUID | str, once: str | None = None, /, **body: Any) -> httpx.Response:
    return await api.patch(f"{REPLAYS}/{job}", json=WHY | body, headers={"Idempotency-Key": once or str(uuid4())})


async def stored(database: Database[Any], state: State, mode: str = "missing", **progress: Any) -> UUID:
    job = Job(uuid7(), "replay", state, {"mode": mode}, progress, uuid7(), "a test")
    async with database.transaction() as tx:
        await database.jobs.add(tx, job)
    return job.id


async def test_a_plan_keeps_what_was_requested(api: API) -> None:
    asked: dict[str, Any] = {"topic": "stock.events", "type": "stock.adjusted", "key": "A", "trace": "0" * 31 + "1"}
    spans: dict[str, Any] = {
        "since": "2026-01-01T00:00:00+01:00",
        "until": "9998-12-31T23:59:59-14:00",
        "offsets": {"0": [0, 2**62]},
    }
    made = await plan(api, mode="again", rate=0.5, mails="withhold", **asked, **spans)
    assert made.status_code == 202, made.text
    shown = (await api.get(f"{REPLAYS}/{made.json()['id']}")).json()
    assert shown == made.json()
    assert (shown["state"], shown["rate"], shown["mails_wanted"], shown["counts"]) == (
        "planning",
        0.5,
        "withhold",
        None,
    )
    assert shown["request"] == asked | {"mode": "again", "offsets": {"0": [0, 2**62]}} | {
        "since": datetime(2025, 12, 31, 23, tzinfo=UTC).isoformat(),
        "until": datetime(9999, 1, 1, 13, 59, 59, tzinfo=UTC).isoformat(),
    }


async def test_one_replay_is_worked_on_at_a_time(api: API, database: Database[Any]) -> None:
    first = (await plan(api, "key")).json()["id"]
    assert assert_problem(await plan(api), 409, "job_running")["job_id"] == first
    assert (await plan(api, "key")).json()["id"] == first
    assert_problem(await plan(api, "key", rate=1), 422, "idempotency_key_reused")
    other = await stored(database, "planned")
    assert assert_problem(await change(api, other, state="running"), 409, "job_running")["job_id"] == first
    assert (await change(api, first, state="cancelled")).json()["state"] == "cancelled"
    assert (await change(api, other, state="running")).json()["state"] == "running"
    assert [one["id"] for one in (await api.get(REPLAYS)).json()["items"]] == [str(other), first]


async def test_mails_have_to_be_decided_before_a_run(api: API, database: Database[Any]) -> None:
    job = await stored(database, "planned", mails={"new": 3, "known": 1})
    assert assert_problem(await change(api, job, state="running"), 409, "mails_undecided")["new"] == 3
    changed = (await change(api, job, state="running", mails="withhold")).json()
    assert (changed["state"], changed["mails_wanted"]) == ("running", "withhold")
    assert_problem(await change(api, job, mails="send"), 409, "job_state_conflict")


async def test_a_state_allows_only_some_changes(api: API, database: Database[Any]) -> None:
    for state, wanted in (("planning", "running"), ("planned", "paused"), ("planning", "paused")):
        job = await stored(database, state)  # type: ignore[arg-type]
        assert assert_problem(await change(api, job, state=wanted), 409, "job_state_conflict")["state"] == state
        await change(api, job, state="cancelled")
    done = await stored(database, "done")
    for body in ({"state": "running"}, {"state": "cancelled"}, {"rate": 5}, {"mails": "send"}):
        assert_problem(await change(api, done, **body), 409, "job_state_conflict")
    assert (await api.get(f"{REPLAYS}/{done}")).json()["rate"] == 0


async def test_pause_resume_and_another_rate(api: API, database: Database[Any]) -> None:
    job = await stored(database, "running", rate=10)
    assert (await change(api, job, "pause", state="paused", rate=5)).json()["rate"] == 5
    assert (await change(api, job, state="running")).json()["state"] == "running"
    assert (await change(api, job, "pause", state="paused", rate=5)).json()["state"] == "running", "it was done once"
    # A key belongs to one route, whatever it did there.
    assert_problem(await change(api, job, "pause", state="cancelled"), 422, "idempotency_key_reused")
    assert (await change(api, job, rate=0)).json()["rate"] == 0
    did = [one["action"] for one in (await api.get("/v1/ops/actions")).json()["items"]]
    assert did == ["replay.change", "replay.running", "replay.paused"]


async def test_what_is_no_replay_is_not_found(api: API, database: Database[Any]) -> None:
    redrive = Job(uuid7(), "redrive", "done", {"letters": []}, {}, uuid7(), "a test")
    async with database.transaction() as tx:
        await database.jobs.add(tx, redrive)
    for job in (redrive.id, uuid4()):
        assert_problem(await api.get(f"{REPLAYS}/{job}"), 404, "job_not_found")
        assert_problem(await change(api, job, state="running"), 404, "job_not_found")
    assert (await api.get(REPLAYS)).json()["items"] == []
    assert (await api.get(f"/v1/ops/redrives/{redrive.id}")).status_code == 200


NO_TIMES = (0, 1767225600, "0", "1767225600", "2026", "", "\x00", "2026-01-01T00:00:00", True)
MOMENTS = (
    "0001-01-01T00:00:00+14:00",
    "1969-12-31T23:59:59Z",
    "1970-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
)
NO_SPANS: Sequence[Any] = (
    [2, 1],
    [1, 1],
    [1],
    [1, 2, 3],
    [-1, 2],
    [0, 2**63],
    [0, 10**30],
    [0, 1.5],
    ["0", 1],
    {},
    None,
)
NO_PARTITIONS = ("", "x", "00", "-1", "1" * 6, "\u0663")
NONSENSE: Sequence[dict[str, Any]] = (
    *({name: moment} for name in ("since", "until") for moment in (*NO_TIMES, *MOMENTS)),
    {"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"},
    {"offsets": {"0": [1, 2]}},
    {"topic": "stock.events", "offsets": {}},
    *({"topic": "stock.events", "offsets": {"0": span}} for span in NO_SPANS),
    *({"topic": "stock.events", "offsets": {name: [0, 1]}} for name in NO_PARTITIONS),
    *({"topic": topic} for topic in ("order.events", "", "x\x00", 1)),
    *({name: text} for name in ("type", "key", "trace") for text in ("\x00", "a\x00b", "a\nb", "x" * 501)),
    *({"rate": rate} for rate in (-1, 100_001, "1", True)),
    *({"mode": "missing", "mails": "never-sent"}, {"mode": "again", "mails": "send"}, {"mode": "rebuild"}),
    *({"why": why} for why in ("", " ", "\u2003", "a\x00", None)),
)


async def test_a_plan_of_nonsense_is_refused(api: API) -> None:
    codes = [(await plan(api, **body)).json().get("code") for body in NONSENSE]
    assert [body for body, code in zip(NONSENSE, codes, strict=True) if code != "malformed_request"] == []
    assert (await api.get(REPLAYS)).json()["items"] == []


async def test_a_change_of_nonsense_is_refused(api: API, database: Database[Any]) -> None:
    job = await stored(database, "planned")
    bodies: Sequence[dict[str, Any]] = (
        *(
            {},
            {"state": "done"},
            {"state": "planning"},
            {"rate": -1},
            {"mails": "x"},
            {"state": "running", "why": " "},
        ),
    )
    for body in bodies:
        assert_problem(await change(api, job, **body), 422, "malformed_request")
