"""A machine that compares orders, stock and mails with the specification, in any interleaving of requests and events.

Events arrive late, twice, out of order with those of other keys, and in batches that are rolled back or whose process
dies. After every step the data of the services are exactly as specified. Once everything has settled, every order has
ended, and every mail that is due is sent.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import closing
from itertools import pairwise
from typing import get_args
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from chassis.testing import enveloped, record
from notifier_svc.delivery.commands import BeginSending, MarkSent
from order_svc.timeline.domain import Timeline, TimelineEntry
from schemas import CustomerRegistered
from schemas.topics import CUSTOMER_EVENTS
from tests.model.memory import Outcome
from tests.model.ordering import counted
from tests.model.requests import CUSTOMERS, SKUS, Requests, some

picks = st.lists(some, min_size=1, max_size=8)

REPLIES = ("stock.reserved", "stock.rejected")
OUTCOMES = {
    *("order.confirmed", "order.rejected", "order.amendment_accepted", "order.amendment_refused"),
    *("saga.left_to_amendment", "saga.answer_ignored"),
}
"""The outcomes of a reply about stock; each reply has one."""
UNPUBLISHED = ("saga.left_to_amendment", "saga.answer_ignored")


class Platform(Requests):
    """Requests, and what Kafka, retries and deaths make of them."""

    @precondition(lambda self: len(self.world.topics[CUSTOMER_EVENTS]) < len(CUSTOMERS))
    @rule()
    def register(self) -> None:
        customer = CUSTOMERS[len(self.world.topics[CUSTOMER_EVENTS])]
        event = CustomerRegistered(customer_id=customer, email="ada@example.com", name="Ada")
        self.world.topics[event.topic][event.key].append(record(enveloped(event)))

    @precondition(lambda self: any(mail.state == "queued" for mail in self.world.rows("mails")))
    @rule()
    def send_mails(self) -> None:
        for mail_id in [mail.id for mail in self.world.rows("mails")]:
            if claim := self.world.claim(mail_id):
                self.world.mark(BeginSending(mail_id, claim))
                self.world.mark(MarkSent(mail_id))

    @precondition(lambda self: self.world.to_relay())
    @rule(carried=st.lists(st.tuples(some, st.integers(1, 9), st.booleans()), min_size=1, max_size=4))
    def relay(self, carried: Sequence[tuple[int, int, bool]]) -> None:
        for which, most, confirmed in carried:
            if waiting := self.world.to_relay():
                waiting[which % len(waiting)].relay(most, confirmed=confirmed)

    @precondition(lambda self: self.world.to_consume())
    @rule(batches=st.lists(st.tuples(some, picks, st.sampled_from(get_args(Outcome))), min_size=1, max_size=4))
    def consume(self, batches: Sequence[tuple[int, Sequence[int], Outcome]]) -> None:
        for which, picked, outcome in batches:
            if waiting := self.world.to_consume():
                service, topic = waiting[which % len(waiting)]
                service.consume(topic, picked, outcome)

    @precondition(lambda self: self.world.to_overtake())
    @rule(which=some)
    def overtake(self, which: int) -> None:
        """An event overtakes others of its key, as when partitions are added. It comes again in its turn."""
        waiting = self.world.to_overtake()
        service, last = waiting[which % len(waiting)]
        service.handle([last])

    @precondition(lambda self: list(self.shop.orders.values()).count("PENDING") > 2)
    @rule()
    def rest(self) -> None:
        self.settle()

    @invariant()
    def services_match_the_specification(self) -> None:
        self.take_new_events()
        orders, stock, reservations = (self.world.rows(name) for name in ("orders", "stock", "reservations"))
        assert {order.id: order.state for order in orders} == self.shop.orders
        assert {s.sku: (s.on_hand, s.reserved) for s in stock} == {
            sku: (self.shop.on_hand[sku], self.shop.reserved(sku)) for sku in SKUS
        }
        assert all(0 <= s.reserved <= s.on_hand for s in stock)
        assert {o.id: counted(o.lines) for o in orders} == self.shop.lines
        assert {o.id: o.amendment.revision for o in orders if o.amendment} == self.shop.waiting
        held = {r.order_id: Counter(r.held) for r in reservations if r.held}
        assert held == {order: has for order in self.shop.held if (has := self.shop.held_for(order))}
        whole = {order: held.get(order, Counter()) + self.shop.missing(order) for order in self.shop.orders}
        assert all(whole[o.id] >= counted(o.lines) for o in orders if o.state == "CONFIRMED")
        assert all(whole[o.id] >= self.shop.unshipped(o.id) for o in orders if o.state == "SHIPPED")
        assert not any(map(self.shop.is_over, self.shop.orders)), "an order ends with its last parcel"
        assert self.mails() <= Counter(self.shop.due)
        assert self.timelines() <= self.expected_entries
        self.no_stream_ends_too_early()
        assert not [letter for service in self.world.services for letter in service.memory.dead_letters.letters]

    def teardown(self) -> None:
        with closing(self.world.loop):
            while len(self.world.topics[CUSTOMER_EVENTS]) < len(CUSTOMERS):
                self.register()
            self.settle()
            self.send_mails()
            self.settle()
            assert self.shop.sent == self.shop.due
            assert all(one.complete for one in self.streams().values()), "every stream ends"

    def settle(self) -> None:
        self.world.settle()
        self.services_match_the_specification()
        held = {order: has for order in self.shop.held if (has := self.shop.held_for(order))}
        going = [order for order, state in self.shop.orders.items() if state in ("CONFIRMED", "SHIPPED")]
        missing = {order: self.shop.missing(order) for order in going}
        assert held == {order: left for order in going if (left := self.shop.unshipped(order) - missing[order])}
        assert missing == {order: self.known_missing(order) for order in going}, "both sides know the same"
        assert not +self.shop.missing_requests
        assert not self.shop.waiting
        assert not self.shop.parcels
        assert not self.shop.remainders
        assert "PENDING" not in self.shop.orders.values()
        assert self.mails() == Counter(self.shop.due)
        assert self.timelines() == self.expected_entries
        self.every_reply_has_an_outcome()
        self.world.check_versions()

    def mails(self) -> Counter[tuple[UUID, str]]:
        return Counter((mail.order_id, mail.template) for mail in self.world.rows("mails") if mail.order_id)

    def timelines(self) -> Counter[tuple[UUID, str]]:
        """The entries of the timelines, without outcomes that only order_svc knows."""
        entries: list[TimelineEntry] = self.world.orders.memory.logs["timeline"]
        known = Counter((entry.order_id, entry.type) for entry in entries)
        return Counter({about: n for about, n in known.items() if about[1] not in UNPUBLISHED})

    def streams(self) -> dict[UUID, Timeline]:
        entries: defaultdict[UUID, dict[int, TimelineEntry]] = defaultdict(dict)
        for position, entry in enumerate(self.world.orders.memory.logs["timeline"]):
            entries[entry.order_id][position] = entry
        return {order: Timeline(known) for order, known in entries.items()}

    def no_stream_ends_too_early(self) -> None:
        assert all(self.shop.at_rest(order) for order, stream in self.streams().items() if stream.complete)

    def every_reply_has_an_outcome(self) -> None:
        for stream in self.streams().values():
            types = [entry.type for entry in stream.entries.values()]
            outcomes = [after for entry, after in pairwise([*types, "nothing"]) if entry in REPLIES]
            assert set(outcomes) <= OUTCOMES
