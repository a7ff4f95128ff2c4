"""Orders, stock and mails against the specification, over any interleaving of what happens to them.

Requests come at any time. Events arrive late, twice, in another order than their neighbours', in batches that
are undone or whose process dies. After every step the services hold exactly what the specification says, and
once everything has settled no order is left without its end, nor an end without its mail.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from functools import partial
from itertools import count
from typing import Any, get_args
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from chassis.preconditions import ANY
from chassis.testing import enveloped, record
from notifier_svc.commands import begin_sending, mark_sent
from order_svc.amending.commands import Wish, amend_order, want_wish
from order_svc.commands import Basket, cancel_order, expire_order, place_order, want_basket, want_order
from order_svc.errors import AccountErased, NotPossibleNow
from order_svc.fulfilment.commands import deliver_order, return_lines, ship_order
from order_svc.store import OrderBook
from product_svc.catalogue.commands import create_product
from product_svc.commands import adjust_stock
from product_svc.errors import StockTooLow
from schemas import Address, CustomerRegistered, Money
from schemas.topics import CUSTOMER_EVENTS
from schemas.values import Variant
from tests.model.explore import explore
from tests.model.memory import Fate
from tests.model.shop import Shop, counted
from tests.model.world import World

SKUS = ("MUG", "CUP")
CUSTOMERS = (UUID(int=1), UUID(int=2))
PRODUCT = UUID(int=3)
VARIANTS = [Variant(sku=sku, price=Money(amount=1250, currency="EUR")) for sku in SKUS]
ADDRESS = Address(name="Ada", street="1 St", city="London", postal_code="SW1Y", country="GB")

pieces, skus, customers = st.integers(2, 9), st.sampled_from(SKUS), st.sampled_from(CUSTOMERS)
quantities = st.dictionaries(skus, st.integers(1, 3), min_size=1)
regrets = st.sampled_from([False, False, True])
in_time = st.sampled_from([True, True, False])
some = st.integers(0, 5)
picks = st.lists(some, min_size=1, max_size=8)


def wanting(order: UUID, wish: Wish) -> Callable[[OrderBook], None]:
    return lambda book: want_wish(book, order, None, wish)


class Platform(RuleBasedStateMachine):
    """Everybody does what they may, at any time."""

    placed = Bundle("placed")

    def __init__(self) -> None:
        super().__init__()
        self.world, self.shop = World(), Shop()
        self.heard: Counter[tuple[UUID, str]] = Counter()
        self.ids = (UUID(int=n) for n in count(100))

    @initialize(mugs=pieces, cups=pieces)
    def open(self, mugs: int, cups: int) -> None:
        def wants(unit: Any) -> None:
            unit.products.want(PRODUCT)
            unit.stock.want(*SKUS)

        self.world.stock.ask(lambda unit: create_product(unit, PRODUCT, "Mug", {}, VARIANTS), wants)
        self.adjust("MUG", mugs)
        self.adjust("CUP", cups)
        self.world.settle()

    @rule(sku=skus, delta=st.integers(-4, 4))
    def adjust(self, sku: str, delta: int) -> None:
        with possible(self.shop.can_be_adjusted(sku, delta), StockTooLow):
            self.world.stock.ask(
                lambda unit: adjust_stock(unit, sku, delta, "count"), lambda unit: unit.stock.want(sku)
            )

    @rule(target=placed, customer=customers, orders=st.lists(st.tuples(quantities, regrets), min_size=1, max_size=2))
    def place(self, customer: UUID, orders: Sequence[tuple[Mapping[str, int], bool]]) -> MultipleResults[UUID]:
        """And cancel at once what is regretted, before anybody has heard of it."""
        baskets = [Basket(next(self.ids), customer, lines, ADDRESS) for lines, _ in orders]
        if customer in self.shop.without_orders:
            with pytest.raises(AccountErased):
                self.world.orders.ask(
                    partial(place_order, basket=baskets[0]), partial(want_basket, basket=baskets[0])
                )
            return multiple()
        for basket, (_, regretted) in zip(baskets, orders, strict=True):
            self.world.orders.ask(partial(place_order, basket=basket), partial(want_basket, basket=basket))
            if regretted:
                self.change(basket.order_id, cancel_order, customer, "customer")
        return multiple(*(basket.order_id for basket in baskets))

    @rule(order=placed, in_time=st.booleans())
    def end(self, order: UUID, in_time: bool) -> None:
        """The customer cancels, or the deadline passes."""
        if in_time:
            with possible(self.shop.can_be_cancelled(order), NotPossibleNow):
                self.change(order, cancel_order, None, "customer")
        else:
            self.change(order, expire_order)

    @precondition(lambda self: any(map(self.shop.can_be_amended, self.shop.orders)))
    @rule(which=some, lines=quantities, in_time=in_time)
    def amend(self, which: int, lines: Mapping[str, int], in_time: bool) -> None:
        """The customer wants something else; sometimes the deadline passes before anybody has heard."""
        order, wish = chosen(which, self.shop.can_be_amended, self.shop.orders), Wish(lines, {})
        self.world.orders.ask(partial(self.amended, order, wish), wanting(order, wish))
        self.hear()
        if not in_time and order in self.shop.waiting:
            self.change(order, expire_order, self.shop.waiting[order])

    @staticmethod
    def amended(order: UUID, wish: Wish, book: Any) -> object:
        return amend_order(book, order, None, ANY, wish)

    @precondition(lambda self: any(map(self.shop.can_be_shipped, self.shop.orders)))
    @rule(which=some, whole=st.booleans())
    def ship(self, which: int, whole: bool) -> None:
        """What is left, or one piece of it."""
        order = chosen(which, self.shop.can_be_shipped, self.shop.orders)
        parcel = None if whole else {next(iter(self.shop.unshipped(order))): 1}
        self.change(order, ship_order, ANY, next(self.ids), "DHL", "1", parcel)

    @precondition(lambda self: any(map(self.shop.can_be_delivered, self.shop.orders)))
    @rule(which=some)
    def deliver(self, which: int) -> None:
        order = chosen(which, self.shop.can_be_delivered, self.shop.orders)
        self.change(order, deliver_order, ANY)

    @precondition(lambda self: any(map(self.shop.can_be_returned, self.shop.orders)))
    @rule(which=some)
    def take_back(self, which: int) -> None:
        order = chosen(which, self.shop.can_be_returned, self.shop.orders)
        self.change(order, return_lines, ANY, next(self.ids), {next(iter(self.shop.returnable(order))): 1}, None)

    @rule(order=placed)
    def try_what_cannot_be(self, order: UUID) -> None:
        if not self.shop.can_be_amended(order):
            wish = Wish({"MUG": 1}, {})
            with pytest.raises(NotPossibleNow):
                self.world.orders.ask(
                    partial(self.amended, order, wish),
                    wanting(order, wish),
                )
        if not self.shop.can_be_shipped(order):
            with pytest.raises(NotPossibleNow):
                self.change(order, ship_order, ANY, next(self.ids), "DHL", "1", None)
        if not self.shop.can_be_delivered(order):
            with pytest.raises(NotPossibleNow):
                self.change(order, deliver_order, ANY)
        if not self.shop.can_be_returned(order):
            with pytest.raises(NotPossibleNow):
                self.change(order, return_lines, ANY, next(self.ids), {"MUG": 1}, None)

    @precondition(lambda self: len(self.world.topics[CUSTOMER_EVENTS]) < len(CUSTOMERS))
    @rule()
    def register(self) -> None:
        customer = CUSTOMERS[len(self.world.topics[CUSTOMER_EVENTS])]
        event = CustomerRegistered(customer_id=customer, email="ada@example.com", name="Ada")
        self.world.topics[event.topic][event.key].append(record(enveloped(event)))

    @precondition(lambda self: any(mail.state == "queued" for mail in self.world.rows("mails")))
    @rule()
    def send_the_mails(self) -> None:
        for mail_id in [mail.id for mail in self.world.rows("mails")]:
            if claim := self.world.take_up(mail_id):
                self.world.mark(mail_id, begin_sending, claim)
                self.world.mark(mail_id, mark_sent)

    @precondition(lambda self: self.world.to_relay())
    @rule(carried=st.lists(st.tuples(some, st.integers(1, 9), st.booleans()), min_size=1, max_size=4))
    def relay(self, carried: Sequence[tuple[int, int, bool]]) -> None:
        for which, most, confirmed in carried:
            if waiting := self.world.to_relay():
                waiting[which % len(waiting)].relay(most, confirmed=confirmed)

    @precondition(lambda self: self.world.to_consume())
    @rule(batches=st.lists(st.tuples(some, picks, st.sampled_from(get_args(Fate))), min_size=1, max_size=4))
    def consume(self, batches: Sequence[tuple[int, Sequence[int], Fate]]) -> None:
        for which, picked, fate in batches:
            if waiting := self.world.to_consume():
                service, topic = waiting[which % len(waiting)]
                service.consume(topic, picked, fate)

    @precondition(lambda self: self.world.to_overtake())
    @rule(which=some)
    def overtake(self, which: int) -> None:
        """An event passes others of its key, as when its topic got more partitions. It comes again in its turn."""
        waiting = self.world.to_overtake()
        service, last = waiting[which % len(waiting)]
        service.handle([last])

    @precondition(lambda self: list(self.shop.orders.values()).count("PENDING") > 2)
    @rule()
    def rest(self) -> None:
        self.settle()

    @invariant()
    def the_services_hold_what_the_shop_says(self) -> None:
        self.hear()
        orders, stock, reservations = (self.world.rows(name) for name in ("orders", "stock", "reservations"))
        assert {order.id: order.state for order in orders} == self.shop.orders
        assert {s.sku: (s.on_hand, s.reserved) for s in stock} == {
            sku: (self.shop.on_hand[sku], self.shop.reserved(sku)) for sku in SKUS
        }
        assert all(0 <= s.reserved <= s.on_hand for s in stock)
        assert {o.id: counted(o.lines) for o in orders} == self.shop.lines
        assert {o.id: o.amendment.revision for o in orders if o.amendment} == self.shop.waiting
        held = {r.order_id: Counter(r.held) for r in reservations if r.held}
        assert held == {order: has for order in self.shop.held if (has := self.shop.set_aside(order))}
        assert all(held[o.id] >= counted(o.lines) for o in orders if o.state == "CONFIRMED")
        assert all(held.get(o.id, Counter()) >= self.shop.unshipped(o.id) for o in orders if o.state == "SHIPPED")
        assert self.mails() <= Counter(self.shop.due)
        assert self.timelines() <= self.heard
        assert not [letter for service in self.world.services for letter in service.memory.dead]

    def teardown(self) -> None:
        with closing(self.world.loop):
            while len(self.world.topics[CUSTOMER_EVENTS]) < len(CUSTOMERS):
                self.register()
            self.settle()
            self.send_the_mails()
            self.settle()
            assert self.shop.sent == self.shop.due

    def settle(self) -> None:
        self.world.settle()
        self.the_services_hold_what_the_shop_says()
        held = {order: has for order in self.shop.held if (has := self.shop.set_aside(order))}
        going = [order for order, state in self.shop.orders.items() if state in ("CONFIRMED", "SHIPPED")]
        assert held == {order: left for order in going if (left := self.shop.unshipped(order))}
        assert not self.shop.waiting
        assert not self.shop.parcels
        assert "PENDING" not in self.shop.orders.values()
        assert self.mails() == Counter(self.shop.due)
        assert self.timelines() == self.heard
        self.world.check_versions()

    def change(self, order: UUID, command: Callable[..., object], *how: Any) -> None:
        self.world.orders.ask(lambda book: command(book, order, *how), lambda book: want_order(book, order))

    def hear(self) -> None:
        for event in self.world.hear():
            self.shop.hear(event)
            if order := getattr(event, "order_id", None):
                self.heard[order, event.type] += 1

    def mails(self) -> Counter[tuple[UUID, str]]:
        return Counter((mail.order_id, mail.template) for mail in self.world.rows("mails"))

    def timelines(self) -> Counter[tuple[UUID, str]]:
        return Counter((entry.order_id, entry.type) for entry in self.world.orders.memory.logs["timeline"])


def chosen(which: int, can: Callable[[UUID], bool], orders: Iterable[UUID]) -> UUID:
    """One of the orders that can."""
    able = [order for order in orders if can(order)]
    return able[which % len(able)]


def possible(really: bool, refusal: type[Exception]) -> AbstractContextManager[object]:
    """What follows goes well if it is possible, and is refused otherwise."""
    return nullcontext() if really else pytest.raises(refusal)


def test_the_platform_does_what_the_specification_says() -> None:
    explore(Platform, 60)
