"""What people ask of the platform: customers, staff, those who run the shop, and the clock."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from itertools import count
from typing import Any, Literal, TypeVar
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    multiple,
    precondition,
    rule,
)

from chassis.http.preconditions import ANY
from order_svc.amending.commands import Wish, amend_order, want_wish
from order_svc.commands import Basket, cancel_order, place_order, want_basket, want_order
from order_svc.errors import AccountErased, NotForSale, NotPossibleNow
from order_svc.fulfilment.commands import deliver_order, return_lines, ship_order
from order_svc.journal import Step
from order_svc.sagas.commands import cancel_saga, pass_half_time, retry_saga
from order_svc.store import OrderBook
from product_svc.catalogue import domain as catalogue
from product_svc.catalogue.commands import CreateProduct, PutVariant
from product_svc.errors import InsufficientStock
from product_svc.stock.commands import AdjustStock
from schemas import Address, Money
from tests.model.shop import Shop
from tests.model.world import World

R = TypeVar("R")

SKUS = ("MUG", "CUP")
CUSTOMERS = (UUID(int=1), UUID(int=2))
PRODUCT = UUID(int=3)
PRICE = Money(amount=1250, currency="EUR")
ADDRESS = Address(name="Ada", street="1 St", city="London", postal_code="SW1Y", country="GB")

pieces, skus, customers = st.integers(2, 9), st.sampled_from(SKUS), st.sampled_from(CUSTOMERS)
quantities = st.dictionaries(skus, st.integers(1, 3), min_size=1)
regrets = st.sampled_from([False, False, True])
in_time = st.sampled_from([True, True, False])
some = st.integers(0, 5)


def wanting(order: UUID, wish: Wish) -> Callable[[OrderBook], None]:
    return lambda book: want_wish(book, order, None, wish)


class Requests(RuleBasedStateMachine):
    """Everybody asks for what they may, at any time, and now and then for what cannot be."""

    placed = Bundle("placed")

    def __init__(self) -> None:
        super().__init__()
        self.world, self.shop = World(), Shop()
        self.heard: Counter[tuple[UUID, str]] = Counter()
        self.ids = (UUID(int=n) for n in count(100))

    @initialize(mugs=pieces, cups=pieces)
    def open(self, mugs: int, cups: int) -> None:
        variants = [catalogue.Variant(sku, PRICE) for sku in SKUS]
        self.world.stock.ask(CreateProduct(PRODUCT, "Mug", {}, variants))
        self.adjust("MUG", mugs)
        self.adjust("CUP", cups)
        self.world.settle()

    @rule(sku=skus, delta=st.integers(-4, 4))
    def adjust(self, sku: str, delta: int) -> None:
        with possible(self.shop.can_be_adjusted(sku, delta), InsufficientStock):
            self.world.stock.ask(AdjustStock(sku, delta, "count"))

    @rule(sku=skus, for_sale=st.booleans())
    def offer(self, sku: str, for_sale: bool) -> None:
        """What is discontinued is promised to nobody any more; what is promised stays so."""
        variant = catalogue.Variant(sku, PRICE, status="active" if for_sale else "discontinued")
        self.world.stock.ask(PutVariant(PRODUCT, ANY, variant))

    @rule(target=placed, customer=customers, orders=st.lists(st.tuples(quantities, regrets), min_size=1, max_size=2))
    def place(self, customer: UUID, orders: Sequence[tuple[Mapping[str, int], bool]]) -> MultipleResults[UUID]:
        """And cancel at once what is regretted, before anybody has heard of it."""
        baskets = [Basket(next(self.ids), customer, lines, ADDRESS) for lines, _ in orders]
        placed: list[UUID] = []
        for basket, (_, regretted) in zip(baskets, orders, strict=True):
            erased, good = customer in self.shop.without_orders, self.known_for_sale(basket.quantities)
            with possible(good and not erased, AccountErased if erased else NotForSale):
                self.world.orders.ask(partial(place_order, basket=basket), partial(want_basket, basket=basket))
                placed.append(basket.order_id)
                if regretted:
                    self.change(basket.order_id, cancel_order, customer, "customer")
        return multiple(*placed)

    @rule(order=placed, who=st.sampled_from(["customer", "staff"]))
    def cancel(self, order: UUID, who: Literal["customer", "staff"]) -> None:
        with possible(self.shop.can_be_cancelled(order), NotPossibleNow):
            self.change(order, cancel_order, None, who)

    @rule(order=placed, halves=st.integers(1, 2))
    def wait(self, order: UUID, halves: int) -> None:
        """Half of the deadline passes, or all of it."""
        for _ in range(halves):
            self.hear()
            expected, asking = self.shop.at_half_time(order), self.asking(order)
            self.entered(order, expected, self.change(order, pass_half_time, asking))

    @rule(order=placed)
    def ask_again(self, order: UUID) -> None:
        """Those who run the shop do; then there is a whole deadline again."""
        asking = self.asking(order)
        with possible(self.shop.waits(order), NotPossibleNow):
            self.change(order, retry_saga)
            self.heard[order, "saga.asked_again"] += 1
            self.shop.reminded.discard(order)
            assert self.change(order, pass_half_time, asking) is None, "a sweep that had found it comes too late"

    @rule(order=placed)
    def give_up(self, order: UUID) -> None:
        """Those who run the shop do what the deadline would."""
        with possible(self.shop.waits(order), NotPossibleNow):
            self.change(order, cancel_saga)
            self.heard[order, "saga.given_up"] += 1

    @precondition(lambda self: any(map(self.shop.can_be_amended, self.shop.orders)))
    @rule(which=some, lines=quantities, in_time=in_time)
    def amend(self, which: int, lines: Mapping[str, int], in_time: bool) -> None:
        """The customer wants something else; sometimes the deadline passes before anybody has heard."""
        order, wish = chosen(which, self.shop.can_be_amended, self.shop.orders), Wish(lines, {})
        more = +(Counter(lines) - self.shop.lines[order])
        with possible(self.known_for_sale(more), NotForSale):
            self.world.orders.ask(partial(self.amended, order, wish), wanting(order, wish))
            self.hear()
            if not in_time and order in self.shop.waiting:
                self.wait(order, 2)

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

    def asking(self, order: UUID) -> int:
        """The number of the last question that was asked for an order."""
        return int(self.world.orders.memory.rows["orders"][order].asked)

    def entered(self, order: UUID, expected: str | None, step: Step | None) -> None:
        """What the saga has done is what was to be done, and stands in the timeline."""
        assert (step and step.did) == expected
        if step:
            assert step.by == "deadline"
            self.heard[order, step.type] += 1

    def known_for_sale(self, skus: Iterable[str]) -> bool:
        """Whether all of these are for sale, as far as order_svc has heard."""
        products = self.world.orders.memory.rows["products"]
        return all(products[sku].for_sale for sku in skus)

    def change(self, order: UUID, command: Callable[..., R], *how: Any) -> R:
        return self.world.orders.ask(lambda book: command(book, order, *how), lambda book: want_order(book, order))

    def hear(self) -> None:
        for event in self.world.hear():
            self.shop.hear(event)
            if order := getattr(event, "order_id", None):
                self.heard[order, event.type] += 1


def chosen(which: int, can: Callable[[UUID], bool], orders: Iterable[UUID]) -> UUID:
    """One of the orders that can."""
    able = [order for order in orders if can(order)]
    return able[which % len(able)]


def possible(really: bool, refusal: type[Exception]) -> AbstractContextManager[object]:
    """What follows goes well if it is possible, and is refused otherwise."""
    return nullcontext() if really else pytest.raises(refusal)
