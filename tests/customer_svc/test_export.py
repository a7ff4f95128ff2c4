"""Taking everything along: what there is here, and what the other services are asked for."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from chassis.persistence.postgres.database import Postgres
from customer_svc import elsewhere
from customer_svc.domain.account import Account
from customer_svc.main import build
from tests.answers import refused, watched
from tests.customer_svc.conftest import settings
from tests.customer_svc.neighbours import ANSWERS, Mood, Neighbours, neighbours
from tests.customer_svc.people import API, account, logged_in, newcomer, registered
from tests.customer_svc.test_profile import ADDRESSES, ME, add, change
from tests.order_svc.event_streams import serving

EXPORT = f"{ME}/export"
ORDERS, NOTIFICATIONS = "/v1/exports/orders", "/v1/exports/notifications"
PARTS = {"orders": ORDERS, "notifications": NOTIFICATIONS}
MOODS: list[Mood] = [*ANSWERS, "hanging", "hanging up"]


@pytest.fixture
async def others() -> AsyncIterator[Neighbours]:
    async with neighbours() as made:
        yield made


@pytest.fixture
async def api(shared_url: str, key_file: Path, others: Neighbours) -> AsyncIterator[httpx.AsyncClient]:
    async with watched(build(settings(shared_url, key_file, order_url=others.url, notifier_url=others.url))) as made:
        yield made


async def exported(api: API, who: dict[str, str]) -> dict[str, Any]:
    answer = await api.get(EXPORT, headers=who)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_an_export_holds_everything_but_secrets(api: API, shared: Postgres) -> None:
    email = await registered(api)
    who = await logged_in(api, email)
    await change(api, who, {"phone": "+442079460000", "marketing": True})
    await add(api, who)
    answer = await api.get(EXPORT, headers=who)
    assert answer.headers["content-disposition"] == 'attachment; filename="my-data.json"'
    assert answer.headers["content-type"] == "application/json"
    told = answer.json()
    assert told["account"] == (await api.get(ME, headers=who)).json()
    assert told["addresses"] == (await api.get(ADDRESSES, headers=who)).json()["items"]
    assert [session["ended_at"] for session in told["sessions"]] == [None]
    made = await account(shared, email)
    assert made.password_hash not in answer.text
    ours = {"password_hash", "epoch", "warned_at", "verify_asked_at", "reset_asked_at"}
    kept = {column for column in Account.__dataclass_fields__ if column not in ours}
    shown = {*told, *told["account"]}
    assert kept - {"deactivated_by"} - {"version"} <= shown, "whatever is kept is exported"


async def test_what_the_others_have_is_passed_on_as_it_is(api: API, others: Neighbours) -> None:
    order = {"id": "o", "total": {"amount": 2**53 + 1}, "note": 'Grüße, "quoted" \u2028', "none": None, "more": [1.5]}
    others.items = {ORDERS: [order], NOTIFICATIONS: [{"id": "m"}, {"id": "n"}]}
    told = await exported(api, await newcomer(api))
    assert (told["orders"], told["notifications"]) == ([order], [{"id": "m"}, {"id": "n"}])


async def test_who_has_nothing_elsewhere_exports_empty_lists(api: API) -> None:
    told = await exported(api, await newcomer(api))
    assert (told["orders"], told["notifications"]) == ([], [])


async def test_the_others_are_asked_in_the_customers_own_name(api: API, others: Neighbours) -> None:
    who = await newcomer(api)
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    await api.get(EXPORT, headers={**who, "traceparent": trace})
    assert {asked.path for asked in others.asked} == {ORDERS, NOTIFICATIONS}
    assert {asked.headers["authorization"] for asked in others.asked} == {who["Authorization"]}
    assert {asked.headers["traceparent"].split("-")[1] for asked in others.asked} == {"a" * 32}


async def test_thousands_are_read_a_hundred_at_a_time(api: API, others: Neighbours) -> None:
    others.items = {path: [{"id": n} for n in range(count)] for path, count in ((ORDERS, 5000), (NOTIFICATIONS, 200))}
    told = await exported(api, await newcomer(api))
    assert [one["id"] for one in told["orders"]] == list(range(5000))
    assert [one["id"] for one in told["notifications"]] == list(range(200))
    assert len(others.asked) == 50 + 2


@pytest.mark.parametrize("mood", MOODS)
@pytest.mark.parametrize("part", PARTS)
async def test_there_is_no_export_without_what_one_of_the_others_has(
    api: API, others: Neighbours, part: str, mood: Mood, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elsewhere, "SECONDS", 0.3)
    who, others.moods = await newcomer(api), {PARTS[part]: mood}
    answer = await api.get(EXPORT, headers=who)
    assert refused(answer, 503, "export_unavailable")["part"] == part
    assert answer.headers["retry-after"] == "1"
    others.moods = {}
    await exported(api, who)


async def test_there_is_no_export_where_nobody_listens(shared_url: str, key_file: Path) -> None:
    away = settings(shared_url, key_file)
    async with watched(build(away)) as api:
        refused(await api.get(EXPORT, headers=await newcomer(api)), 503, "export_unavailable")


async def test_an_export_that_breaks_off_cannot_be_taken_for_a_whole_one(
    shared_url: str, key_file: Path, others: Neighbours
) -> None:
    others.items = {ORDERS: [{"id": n} for n in range(300)]}
    others.moods, others.patience = {ORDERS: "broken"}, 2
    app = build(settings(shared_url, key_file, order_url=others.url, notifier_url=others.url))
    async with serving(app) as running:
        who, come = await newcomer(running.client), bytearray()

        async def read(answer: httpx.Response) -> None:
            async for piece in answer.aiter_raw():
                come.extend(piece)

        async with running.client.stream("GET", EXPORT, headers=who) as answer:
            assert answer.status_code == 200
            with pytest.raises(httpx.RemoteProtocolError):
                await read(answer)
    assert b'{"id":199}' in come
    with pytest.raises(json.JSONDecodeError):
        json.loads(come)


async def test_who_is_erased_exports_nothing_and_nobody_is_asked(api: API, others: Neighbours) -> None:
    who = await newcomer(api)
    erased = await api.post("/v1/erasures", json={"password": "correct horse battery"}, headers=who)
    assert erased.status_code == 202
    refused(await api.get(EXPORT, headers=who), 404, "not_found")
    assert others.asked == []
