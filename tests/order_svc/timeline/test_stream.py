"""Timelines as server-sent events, from a real server."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from uuid import UUID

import fastapi.routing
import pytest
import sqlalchemy as sa
from uuid_utils.compat import uuid7

from chassis.http.auth import Principal, Verifier
from chassis.persistence.errors import DatabaseUnavailable
from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from order_svc.main import build
from order_svc.orders.domain import Order
from order_svc.orders.parts import ANONYMOUS_TRACKING_NUMBER
from order_svc.timeline import api, feed
from order_svc.timeline.domain import TimelineEntry
from order_svc.timeline.feed import TimelineFeed
from order_svc.unit_of_work import OrderUnitOfWork
from schemas import CustomerErased, MailSent
from tests.order_svc.apps import settings
from tests.order_svc.event_streams import Sent, Serving, following, serving
from tests.order_svc.product_stub import ProductStub
from tests.order_svc.scenarios import Commit, cancel, consume, pending, reserved
from tests.responses import assert_problem
from tests.stack import eventually

END = Sent("end", None, {"state": "CONFIRMED"})


def closed(code: str) -> Sent:
    return Sent("closed", None, {"code": code})


@pytest.fixture(scope="module")
async def front(shared_url: str, product_stub: ProductStub) -> AsyncIterator[Serving]:
    async with serving(build(settings(shared_url, product_stub.url))) as running:
        yield running


def mailed(order: Order) -> MailSent:
    return MailSent(mail_id=uuid7(), template="receipt", customer_id=order.customer_id, order_id=order.id)


async def test_a_stream_has_the_entries_so_far_and_each_new_one_as_it_happens(
    front: Serving, shared: Postgres, commit: Commit
) -> None:
    order = await pending(commit)
    headers = bearer(order.customer_id)
    async with following(front.client, order.id, headers) as stream:
        assert stream.response.headers["content-type"].startswith("text/event-stream")
        assert await stream.types(1) == ["order.placed"]
        await consume(shared, reserved(order))
        assert await stream.types(2) == ["stock.reserved", "order.confirmed"]
        await consume(shared, mailed(order))
        last = await stream.entry()
        assert last.data["detail"]["template"] == "receipt"
        assert await stream.rest() == [END]
    read = (await front.client.get(f"/v1/orders/{order.id}/timeline", headers=headers)).json()
    assert read["entries"][-1] == last.data, "the same entries as in the JSON"
    async with following(front.client, order.id, headers, last.id) as stream:
        assert await stream.rest() == [END], "a reader of everything gets the end"


async def test_a_reader_that_reconnects_continues_where_it_was(
    front: Serving, shared: Postgres, commit: Commit
) -> None:
    order = await pending(commit)
    headers = bearer(order.customer_id)
    async with following(front.client, order.id, headers) as stream:
        first = await stream.entry()
    await consume(shared, reserved(order), mailed(order))
    async with following(front.client, order.id, headers, first.id) as stream:
        seen = [sent.data["type"] for sent in (await stream.rest())[:-1]]
    assert seen == ["stock.reserved", "order.confirmed", "notification.mail_sent"]
    async with following(front.client, order.id, headers, "nonsense") as stream:
        assert len(await stream.rest()) == 5


async def test_the_order_of_another_customer_cannot_be_followed(front: Serving, commit: Commit) -> None:
    order = await pending(commit)
    path = f"/v1/orders/{order.id}/timeline/stream"
    for stranger in (bearer(), bearer(role="ops")):
        assert_problem(await front.client.get(path, headers=stranger), 404, "order_not_found")
    assert_problem(await front.client.get(path), 401, "unauthenticated")
    async with following(front.client, order.id, bearer(role="staff")) as stream:
        assert await stream.types(1) == ["order.placed"]


async def test_the_streams_of_an_account_and_of_a_process_are_limited(
    front: Serving, commit: Commit, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await pending(commit)
    headers, path = bearer(order.customer_id), f"/v1/orders/{order.id}/timeline/stream"
    monkeypatch.setattr(feed, "MAX_FOLLOWERS_OF_ACCOUNT", 2)
    async with AsyncExitStack() as open_streams:
        two = [await open_streams.enter_async_context(following(front.client, order.id, headers)) for _ in range(2)]
        assert [await stream.types(1) for stream in two] == [["order.placed"]] * 2
        problem = assert_problem(await front.client.get(path, headers=headers), 429, "too_many_streams")
        assert problem["most"] == 2
        monkeypatch.setattr(feed, "MAX_FOLLOWERS", 2)
        async with following(front.client, order.id, bearer(role="staff")) as another:
            assert await another.types(1) == ["order.placed"]
            assert await two[0].rest() == [closed("displaced")]
            assert_problem(await front.client.get(path, headers=headers), 503, "stream_limit_reached")
            assert_problem(await front.client.get(path, headers=bearer(role="staff")), 503, "stream_limit_reached")

    async def all_gone() -> bool:
        return followed(front) == 0

    await eventually(all_gone, 10, "the server to notice that the readers have disconnected")
    async with following(front.client, order.id, headers) as stream:
        assert await stream.types(1) == ["order.placed"]


def followed(front: Serving) -> int:
    running: TimelineFeed = front.app.state.container.feed
    return running.followers


async def test_a_quiet_stream_has_heartbeats_and_ends_after_its_time(
    front: Serving, commit: Commit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fastapi.routing, "_PING_INTERVAL", 0.1)
    monkeypatch.setattr(api, "STREAM_SECONDS", 0.6)
    order = await pending(commit)
    async with following(front.client, order.id, bearer(order.customer_id)) as stream:
        assert await stream.types(1) == ["order.placed"]
        lines = []
        while (line := await stream.line()) is not None:
            lines.append(line)
    assert ": ping" in lines
    assert [line for line in lines if line.startswith(("data", "event"))] == [
        *("event: closed", 'data: {"code":"timeout"}'),
    ]


async def test_a_stream_ends_with_the_token_that_opened_it(front: Serving, shared: Postgres, commit: Commit) -> None:
    order = await pending(commit)
    # Tokens expire at a full second, which may be the next one by now.
    expires = int(time.time()) + 3
    headers, path = bearer(order.customer_id, seconds=3), f"/v1/orders/{order.id}/timeline/stream"
    async with following(front.client, order.id, headers) as stream:
        first = await stream.entry()
        assert await stream.rest() == [closed("token_expired")]
        assert expires - 0.1 <= time.time() < expires + 2.5
    # A stream does not accept a token that has just expired, unlike other routes.
    assert (await front.client.get(f"/v1/orders/{order.id}", headers=headers)).status_code == 200
    assert_problem(await front.client.get(path, headers=headers), 401, "unauthenticated")
    await consume(shared, reserved(order), mailed(order))
    async with following(front.client, order.id, bearer(order.customer_id), first.id) as stream:
        types = [sent.data["type"] for sent in (await stream.rest())[:-1]]
    assert types == ["stock.reserved", "order.confirmed", "notification.mail_sent"], (
        "the stream continues with another token"
    )


async def test_a_reader_that_always_reconnects_waits_longer_after_the_end(
    front: Serving, shared: Postgres, commit: Commit
) -> None:
    order = await pending(commit)
    await consume(shared, reserved(order), mailed(order))
    async with following(front.client, order.id, bearer(order.customer_id)) as stream:
        lines = []
        while (line := await stream.line()) is not None:
            lines.append(line)
    assert [line for line in lines if line.startswith("retry")] == ["retry: 1000", "retry: 60000"]


@pytest.mark.parametrize("accept", ["text/event-stream", "application/json;q=0.5, text/event-stream"])
async def test_a_client_that_prefers_events_gets_them_from_the_timeline_itself(
    front: Serving, shared: Postgres, commit: Commit, accept: str
) -> None:
    order = await pending(commit)
    await consume(shared, reserved(order), mailed(order))
    headers = bearer(order.customer_id) | {"Accept": accept}
    async with following(front.client, order.id, headers, at="timeline") as stream:
        assert stream.response.headers["content-type"].startswith("text/event-stream")
        assert stream.response.headers["vary"] == "Accept"
        found = await stream.rest()
    async with following(front.client, order.id, headers) as stream:
        assert await stream.rest() == found, "the same as from the route of the stream"
    async with following(front.client, order.id, headers, found[1].id, at="timeline") as stream:
        assert await stream.rest() == found[2:]
    for strangers in (bearer(), {}):
        response = await front.client.get(f"/v1/orders/{order.id}/timeline", headers=strangers | {"Accept": accept})
        assert response.status_code == (404 if strangers else 401)


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "text/html", "text/event-stream;q=0.1, */*", ""])
async def test_every_other_client_gets_json(front: Serving, commit: Commit, accept: str | None) -> None:
    order = await pending(commit)
    headers = bearer(order.customer_id) | ({} if accept is None else {"Accept": accept})
    response = await front.client.get(f"/v1/orders/{order.id}/timeline", headers=headers)
    assert (response.headers["content-type"], response.headers["vary"]) == ("application/json", "Accept")
    assert response.json()["entries"][0]["type"] == "order.placed"


async def test_a_server_that_stops_closes_its_streams(
    shared_url: str, product_stub: ProductStub, commit: Commit
) -> None:
    order = await pending(commit)
    async with serving(build(settings(shared_url, product_stub.url))) as other:
        async with following(other.client, order.id, bearer(order.customer_id)) as stream:
            assert await stream.types(1) == ["order.placed"]
            other.server.should_exit = True
            assert await stream.rest() == [closed("stopping")]
        await other.stop()


async def test_one_poll_serves_all_followers(shared: Postgres, commit: Commit) -> None:
    orders = [await pending(commit) for _ in range(4)]
    running, statements = TimelineFeed(shared), Statements(shared)
    with ExitStack() as followers:
        waiting = [
            followers.enter_context(running.follow(order.id, uuid7(), 5)) for order in orders for _ in range(3)
        ]
        await running.poll()
        assert statements.number == 2, "the number of entries, and then the entries"
        assert {len((await anext(one)).entries) for one in waiting} == {1}
        await running.poll()
        assert statements.number == 3, "nothing new"
        await consume(shared, reserved(orders[0]))
        statements.number = 0
        await running.poll()
        assert statements.number == 2
        assert (await anext(waiting[0])).state == "CONFIRMED"
    assert running.followers == 0
    statements.stop()


async def test_a_new_follower_does_not_see_what_an_erasure_removed(shared: Postgres, commit: Commit) -> None:
    # An erasure adds no entry to an order that has ended.
    order, running = await cancel(commit, await pending(commit)), TimelineFeed(shared)
    parcel = {"state": "SHIPPED", "tracking_number": "1Z"}
    await commit(AddEntry(TimelineEntry(order.id, order.placed_at, "order.shipped", dict(parcel))))
    with running.follow(order.id, order.customer_id, 5) as one:
        await running.poll()
        assert parcel in [entry.detail for entry in (await anext(one)).entries.values()]
        await consume(shared, CustomerErased(customer_id=order.customer_id))
        with running.follow(order.id, uuid7(), 5) as other:
            await running.poll()
            seen = [entry.detail for entry in (await anext(other)).entries.values()]
    assert parcel | {"tracking_number": ANONYMOUS_TRACKING_NUMBER} in seen
    assert parcel not in seen


@dataclass(frozen=True)
class AddEntry:
    entry: TimelineEntry

    def prefetch(self, uow: OrderUnitOfWork) -> None:
        uow.orders.prefetch(self.entry.order_id)

    def execute(self, uow: OrderUnitOfWork) -> None:
        uow.timeline.add(self.entry)


class Statements:
    """Counts the statements of a database."""

    def __init__(self, database: Postgres) -> None:
        self.number, self._engine = 0, database.engine.sync_engine
        sa.event.listen(self._engine, "before_cursor_execute", self._count)

    def _count(self, *_: object) -> None:
        self.number += 1

    def stop(self) -> None:
        sa.event.remove(self._engine, "before_cursor_execute", self._count)


async def test_a_feed_continues_when_the_database_is_available_again(
    shared: Postgres, commit: Commit, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, running, outcomes = (
        await pending(commit),
        TimelineFeed(shared, 0.001),
        iter([DatabaseUnavailable("gone"), None]),
    )
    poll = running.poll

    async def fallible() -> None:
        if outcome := next(outcomes, None):
            raise outcome
        await poll()

    monkeypatch.setattr(running, "poll", fallible)
    monkeypatch.setattr(feed, "RETRY_SECONDS", 0.001)
    await running.start()
    with running.follow(order.id, UUID(int=1), 10) as follower:
        assert (await anext(follower)).state == "PENDING"
    await running.close()


async def test_a_stream_sends_nothing_more_after_its_token_was_revoked(
    front: Serving, shared: Postgres, commit: Commit, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def revoked(_self: Verifier, _principal: Principal) -> bool:
        return True

    order = await pending(commit)
    async with following(front.client, order.id, bearer(order.customer_id)) as stream:
        assert await stream.types(1) == ["order.placed"]
        monkeypatch.setattr(Verifier, "is_revoked", revoked)
        await consume(shared, reserved(order))
        assert await stream.rest() == [closed("token_expired")]
