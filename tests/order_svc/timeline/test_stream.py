"""Timelines as server-sent events, from a real server."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack
from uuid import UUID

import fastapi.routing
import pytest
import sqlalchemy as sa
from uuid_utils.compat import uuid7

from chassis.messaging.consumer import Consumer
from chassis.persistence.errors import DatabaseUnavailable
from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer, records
from order_svc import SERVICE, watch
from order_svc.api import timelines
from order_svc.domain import Order
from order_svc.handlers import HANDLERS
from order_svc.main import build
from order_svc.parts import UNTOLD
from order_svc.store import Entry, OrderBook
from order_svc.watch import Watch
from schemas import CustomerErased, Event, MailSent, StockReserved
from tests.answers import refused
from tests.order_svc.conftest import settings
from tests.order_svc.orders import cancel, pending
from tests.order_svc.shopfront import Shopfront
from tests.order_svc.streams import Sent, Serving, following, serving
from tests.stack import eventually

Commit = GroupCommit[OrderBook]
END = Sent("end", None, {"state": "CONFIRMED"})


def closed(code: str) -> Sent:
    return Sent("closed", None, {"code": code})


@pytest.fixture(scope="module")
async def front(shared_url: str, shopfront: Shopfront) -> AsyncIterator[Serving]:
    async with serving(build(settings(shared_url, shopfront.url))) as running:
        yield running


async def hear(database: Postgres, *heard: Event) -> None:
    await Consumer(database, SERVICE, OrderBook, HANDLERS).handle(records(heard))


def reserved(order: Order) -> StockReserved:
    return StockReserved(order_id=order.id, lines=())


def mailed(order: Order) -> MailSent:
    return MailSent(mail_id=uuid7(), template="receipt", customer_id=order.customer_id, order_id=order.id)


async def test_a_stream_tells_what_happened_and_each_thing_as_it_happens(
    front: Serving, shared: Postgres, commit: Commit
) -> None:
    order = await pending(commit)
    who = bearer(order.customer_id)
    async with following(front.client, order.id, who) as stream:
        assert stream.answer.headers["content-type"].startswith("text/event-stream")
        assert await stream.types(1) == ["order.placed"]
        await hear(shared, reserved(order))
        assert await stream.types(2) == ["stock.reserved", "order.confirmed"]
        await hear(shared, mailed(order))
        last = await stream.entry()
        assert last.data["detail"]["template"] == "receipt"
        assert await stream.rest() == [END]
    read = (await front.client.get(f"/v1/orders/{order.id}/timeline", headers=who)).json()
    assert read["entries"][-1] == last.data, "the same entries as in the JSON"
    async with following(front.client, order.id, who, last.id) as stream:
        assert await stream.rest() == [END], "who has read everything is told that it is the end"


async def test_a_reader_that_comes_back_goes_on_where_it_was(
    front: Serving, shared: Postgres, commit: Commit
) -> None:
    order = await pending(commit)
    who = bearer(order.customer_id)
    async with following(front.client, order.id, who) as stream:
        first = await stream.entry()
    await hear(shared, reserved(order), mailed(order))
    async with following(front.client, order.id, who, first.id) as stream:
        seen = [sent.data["type"] for sent in (await stream.rest())[:-1]]
    assert seen == ["stock.reserved", "order.confirmed", "notification.mail_sent"]
    async with following(front.client, order.id, who, "nonsense") as stream:
        assert len(await stream.rest()) == 5


async def test_what_others_may_not_read_they_may_not_follow(front: Serving, commit: Commit) -> None:
    order = await pending(commit)
    path = f"/v1/orders/{order.id}/timeline/stream"
    for stranger in (bearer(), bearer(role="ops")):
        refused(await front.client.get(path, headers=stranger), 404, "order_unknown")
    refused(await front.client.get(path), 401, "unauthenticated")
    async with following(front.client, order.id, bearer(role="staff")) as stream:
        assert await stream.types(1) == ["order.placed"]


async def test_nobody_follows_more_orders_than_one_can_and_a_process_no_more_than_it_can(
    front: Serving, commit: Commit, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await pending(commit)
    who, path = bearer(order.customer_id), f"/v1/orders/{order.id}/timeline/stream"
    monkeypatch.setattr(watch, "MOST_EACH", 2)
    async with AsyncExitStack() as open_streams:
        two = [await open_streams.enter_async_context(following(front.client, order.id, who)) for _ in range(2)]
        assert [await stream.types(1) for stream in two] == [["order.placed"]] * 2
        problem = refused(await front.client.get(path, headers=who), 429, "too_many_followed")
        assert problem["most"] == 2
        monkeypatch.setattr(watch, "MOST", 2)
        refused(await front.client.get(path, headers=bearer(role="staff")), 503, "watch_full")

    async def all_gone() -> bool:
        return followed(front) == 0

    await eventually(all_gone, 10, "the server to notice that the readers have gone")
    async with following(front.client, order.id, who) as stream:
        assert await stream.types(1) == ["order.placed"]


def followed(front: Serving) -> int:
    looking: Watch = front.app.state.container.watch
    return looking.followers


async def test_a_quiet_stream_has_heartbeats_and_ends_after_a_time(
    front: Serving, commit: Commit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fastapi.routing, "_PING_INTERVAL", 0.1)
    monkeypatch.setattr(timelines, "STREAM_SECONDS", 0.6)
    order = await pending(commit)
    async with following(front.client, order.id, bearer(order.customer_id)) as stream:
        assert await stream.types(1) == ["order.placed"]
        lines = []
        while (line := await stream.line()) is not None:
            lines.append(line)
    assert ": ping" in lines
    assert [line for line in lines if line.startswith(("data", "event"))] == [
        *("event: closed", 'data: {"code":"time_is_up"}'),
    ]


async def test_a_stream_ends_with_the_token_that_opened_it(front: Serving, shared: Postgres, commit: Commit) -> None:
    order = await pending(commit)
    # Tokens are made to the second, so that it may be the next one by now.
    expires = int(time.time()) + 3
    who, path = bearer(order.customer_id, seconds=3), f"/v1/orders/{order.id}/timeline/stream"
    async with following(front.client, order.id, who) as stream:
        first = await stream.entry()
        assert await stream.rest() == [closed("token_expired")]
        assert expires - 0.1 <= time.time() < expires + 2.5
    # What comes back by itself is not let in and sent away for as long as tokens are forgiven.
    assert (await front.client.get(f"/v1/orders/{order.id}", headers=who)).status_code == 200
    refused(await front.client.get(path, headers=who), 401, "unauthenticated")
    await hear(shared, reserved(order), mailed(order))
    async with following(front.client, order.id, bearer(order.customer_id), first.id) as stream:
        types = [sent.data["type"] for sent in (await stream.rest())[:-1]]
    assert types == ["stock.reserved", "order.confirmed", "notification.mail_sent"], "it goes on with another token"


async def test_a_reader_that_does_not_know_an_end_comes_back_seldom(
    front: Serving, shared: Postgres, commit: Commit
) -> None:
    order = await pending(commit)
    await hear(shared, reserved(order), mailed(order))
    async with following(front.client, order.id, bearer(order.customer_id)) as stream:
        lines = []
        while (line := await stream.line()) is not None:
            lines.append(line)
    assert [line for line in lines if line.startswith("retry")] == ["retry: 1000", "retry: 60000"]


@pytest.mark.parametrize("accept", ["text/event-stream", "application/json;q=0.5, text/event-stream"])
async def test_who_would_rather_have_events_gets_them_where_the_timeline_is(
    front: Serving, shared: Postgres, commit: Commit, accept: str
) -> None:
    order = await pending(commit)
    await hear(shared, reserved(order), mailed(order))
    who = bearer(order.customer_id) | {"Accept": accept}
    async with following(front.client, order.id, who, at="timeline") as stream:
        assert stream.answer.headers["content-type"].startswith("text/event-stream")
        assert stream.answer.headers["vary"] == "Accept"
        found = await stream.rest()
    async with following(front.client, order.id, who) as stream:
        assert await stream.rest() == found, "the same as where only the stream is"
    async with following(front.client, order.id, who, found[1].id, at="timeline") as stream:
        assert await stream.rest() == found[2:]
    for strangers in (bearer(), {}):
        answer = await front.client.get(f"/v1/orders/{order.id}/timeline", headers=strangers | {"Accept": accept})
        assert answer.status_code == (404 if strangers else 401)


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "text/html", "text/event-stream;q=0.1, */*", ""])
async def test_everybody_else_gets_json(front: Serving, commit: Commit, accept: str | None) -> None:
    order = await pending(commit)
    who = bearer(order.customer_id) | ({} if accept is None else {"Accept": accept})
    answer = await front.client.get(f"/v1/orders/{order.id}/timeline", headers=who)
    assert (answer.headers["content-type"], answer.headers["vary"]) == ("application/json", "Accept")
    assert answer.json()["entries"][0]["type"] == "order.placed"


async def test_a_server_that_is_to_end_lets_its_readers_go(
    shared_url: str, shopfront: Shopfront, commit: Commit
) -> None:
    order = await pending(commit)
    async with serving(build(settings(shared_url, shopfront.url))) as other:
        async with following(other.client, order.id, bearer(order.customer_id)) as stream:
            assert await stream.types(1) == ["order.placed"]
            other.server.should_exit = True
            assert await stream.rest() == [closed("stopping")]
        await other.stop()


async def test_one_look_is_for_all_who_follow(shared: Postgres, commit: Commit) -> None:
    orders = [await pending(commit) for _ in range(4)]
    looking, asked = Watch(shared), Statements(shared)
    with ExitStack() as followers:
        waiting = [
            followers.enter_context(looking.follow(order.id, uuid7(), 5)) for order in orders for _ in range(3)
        ]
        await looking.look()
        assert asked.number == 2, "how many entries there are, and then the entries"
        assert {len((await anext(one)).entries) for one in waiting} == {1}
        await looking.look()
        assert asked.number == 3, "nothing new"
        await hear(shared, reserved(orders[0]))
        asked.number = 0
        await looking.look()
        assert asked.number == 2
        assert (await anext(waiting[0])).state == "CONFIRMED"
    assert looking.followers == 0
    asked.stop()


async def test_whoever_comes_is_not_shown_what_was_forgotten(shared: Postgres, commit: Commit) -> None:
    # Of one that has ended, nothing more happens when its customer is erased.
    order, looking = await cancel(commit, await pending(commit)), Watch(shared)
    parcel = {"state": "SHIPPED", "tracking_number": "1Z"}
    shipped = Entry(order.id, order.placed_at, "order.shipped", dict(parcel))
    await commit(lambda book: book.timeline.add(shipped), lambda book: book.orders.prefetch(order.id))
    with looking.follow(order.id, order.customer_id, 5) as one:
        await looking.look()
        assert parcel in [entry.detail for entry in (await anext(one)).entries.values()]
        await hear(shared, CustomerErased(customer_id=order.customer_id))
        with looking.follow(order.id, uuid7(), 5) as other:
            await looking.look()
            seen = [entry.detail for entry in (await anext(other)).entries.values()]
    assert parcel | {"tracking_number": UNTOLD} in seen
    assert parcel not in seen


class Statements:
    """Counts the statements of a database."""

    def __init__(self, database: Postgres) -> None:
        self.number, self._engine = 0, database.engine.sync_engine
        sa.event.listen(self._engine, "before_cursor_execute", self._count)

    def _count(self, *_: object) -> None:
        self.number += 1

    def stop(self) -> None:
        sa.event.remove(self._engine, "before_cursor_execute", self._count)


async def test_a_watch_goes_on_when_the_database_was_away(
    shared: Postgres, commit: Commit, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, looking, fates = await pending(commit), Watch(shared, 0.001), iter([DatabaseUnavailable("gone"), None])
    look = looking.look

    async def fallible() -> None:
        if fate := next(fates, None):
            raise fate
        await look()

    monkeypatch.setattr(looking, "look", fallible)
    monkeypatch.setattr(watch, "AWAY_SECONDS", 0.001)
    await looking.start()
    with looking.follow(order.id, UUID(int=1), 10) as follower:
        assert (await anext(follower)).state == "PENDING"
    await looking.close()
