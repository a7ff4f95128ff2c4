"""What customers, staff, operators and the clock do to the platform."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import count
from typing import Literal, get_args
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
from order_svc.amendments.commands import AmendOrder
from order_svc.errors import AccountErased, NotForSale, TransitionNotAllowed
from order_svc.fulfilment.commands import CancelRemainder, DeliverOrder, ShipOrder
from order_svc.orders.commands import CancelOrder, PlaceOrder
from order_svc.orders.domain import Order
from order_svc.orders.parts import FailureReason
from order_svc.parcels.commands import CorrectTracking, DeliverParcel, FailParcel, ReturnParcel
from order_svc.returns.commands import AnswerReturn, RequestReturn, ReturnLines
from order_svc.returns.domain import ReturnedGoods
from order_svc.saga.actions import SagaStep
from order_svc.saga.commands import CancelSaga, HandleHalfDeadline, RetrySaga
from product_svc.catalogue import domain as catalogue
from product_svc.catalogue.commands import CreateProduct, PutVariant
from product_svc.errors import InsufficientStock
from product_svc.stock.commands import AdjustStock
from schemas import Address, Money
from tests.model.ordering import counted
from tests.model.shop import Shop
from tests.model.world import World

SKUS = ("MUG", "CUP")
CUSTOMERS = (UUID(int=1), UUID(int=2))
PRODUCT = UUID(int=3)
PRICE = Money(amount=1250, currency="EUR")
ADDRESS = Address(name="Ada", street="1 St", city="London", postal_code="SW1Y", country="GB")

pieces, skus, customers = st.integers(2, 9), st.sampled_from(SKUS), st.sampled_from(CUSTOMERS)
quantities = st.dictionaries(skus, st.integers(1, 3), min_size=1)
cancellations = st.sampled_from([False, False, True])
baskets = st.lists(st.tuples(quantities, cancellations), min_size=1, max_size=2)
in_time = st.sampled_from([True, True, False])
some = st.integers(0, 5)


class Requests(RuleBasedStateMachine):
    """Requests that are allowed, at any time, and sometimes one that is not."""

    placed = Bundle("placed")

    def __init__(self) -> None:
        super().__init__()
        self.world, self.shop = World(), Shop()
        self.expected_entries: Counter[tuple[UUID, str]] = Counter()
        self.ids = (UUID(int=n) for n in count(100))

    @initialize(mugs=pieces, cups=pieces)
    def open(self, mugs: int, cups: int) -> None:
        variants = [catalogue.Variant(sku, PRICE) for sku in SKUS]
        self.world.stock.execute(CreateProduct(PRODUCT, "Mug", {}, variants))
        self.adjust("MUG", mugs)
        self.adjust("CUP", cups)
        self.world.settle()

    @rule(sku=skus, delta=st.integers(-4, 4))
    def adjust(self, sku: str, delta: int) -> None:
        with possible(self.shop.can_be_adjusted(sku, delta), InsufficientStock):
            self.world.stock.execute(AdjustStock(sku, delta, "count"))

    @rule(sku=skus, pieces=st.integers(1, 3))
    def lose(self, sku: str, pieces: int) -> None:
        """Pieces break, also such as are held for orders."""
        with possible(self.shop.can_be_adjusted(sku, -pieces, take_held=True), InsufficientStock):
            self.world.stock.execute(AdjustStock(sku, -pieces, "damage", take_held=True))

    @rule(sku=skus, for_sale=st.booleans())
    def offer(self, sku: str, for_sale: bool) -> None:
        """A discontinued SKU cannot be reserved any more; what is reserved stays reserved."""
        variant = catalogue.Variant(sku, PRICE, status="active" if for_sale else "discontinued")
        self.world.stock.execute(PutVariant(PRODUCT, ANY, variant))

    @rule(target=placed, customer=customers, orders=baskets)
    def place(self, customer: UUID, orders: Sequence[tuple[Mapping[str, int], bool]]) -> MultipleResults[UUID]:
        """Place orders, and cancel some at once, before any other service knows of them."""
        commands = [PlaceOrder(next(self.ids), customer, lines, ADDRESS) for lines, _ in orders]
        placed: list[UUID] = []
        for command, (_, cancelled) in zip(commands, orders, strict=True):
            erased, good = customer in self.shop.without_orders, self.known_for_sale(command.quantities)
            with possible(good and not erased, AccountErased if erased else NotForSale):
                self.world.orders.execute(command)
                placed.append(command.order_id)
                if cancelled:
                    self.world.orders.execute(CancelOrder(command.order_id, customer))
        return multiple(*placed)

    @rule(order=placed, who=st.sampled_from(["customer", "staff"]))
    def cancel(self, order: UUID, who: Literal["customer", "staff"]) -> None:
        customer = self.shop.customers[order] if who == "customer" else None
        erased = customer in self.shop.without_orders
        refusal = AccountErased if erased else TransitionNotAllowed
        with possible(self.shop.can_be_cancelled(order) and not erased, refusal):
            self.world.orders.execute(CancelOrder(order, customer))

    @rule(order=placed, halves=st.integers(1, 2))
    def wait(self, order: UUID, halves: int) -> None:
        """Half of the deadline passes, or the whole deadline."""
        for _ in range(halves):
            self.take_new_events()
            expected, asking = self.shop.at_half_time(order), self.asking(order)
            self.check_step(order, expected, self.world.orders.execute(HandleHalfDeadline(order, asking)))

    @rule(order=placed)
    def ask_again(self, order: UUID) -> None:
        """Operators retry the saga; then a whole deadline begins again."""
        asking = self.asking(order)
        with possible(self.shop.waits(order) or bool(self.known_missing(order)), TransitionNotAllowed):
            self.world.orders.execute(RetrySaga(order))
            self.expected_entries[order, "saga.asked_again"] += 1
            self.shop.retried.discard(order)
            late = HandleHalfDeadline(order, asking)
            assert self.world.orders.execute(late) is None, "a deadline that was found before comes too late"

    @rule(order=placed)
    def give_up(self, order: UUID) -> None:
        """Operators do what the deadline would."""
        with possible(self.shop.waits(order), TransitionNotAllowed):
            self.world.orders.execute(CancelSaga(order))
            self.expected_entries[order, "saga.given_up"] += 1

    @precondition(lambda self: any(map(self.shop.can_be_amended, self.shop.orders)))
    @rule(which=some, lines=quantities, in_time=in_time)
    def amend(self, which: int, lines: Mapping[str, int], in_time: bool) -> None:
        """The customer amends the order; sometimes the deadline passes before the reply."""
        order = chosen(which, self.shop.can_be_amended, self.shop.orders)
        more = +(Counter(lines) - self.shop.lines[order])
        with possible(self.known_for_sale(more), NotForSale):
            self.world.orders.execute(AmendOrder(order, None, ANY, lines, {}))
            self.take_new_events()
            if not in_time and order in self.shop.waiting:
                self.wait(order, 2)

    @precondition(lambda self: any(map(self.can_be_shipped, self.shop.orders)))
    @rule(which=some, whole=st.booleans())
    def ship(self, which: int, whole: bool) -> None:
        """Ship the rest of the order, or one piece of it; never what is known to be lost."""
        order = chosen(which, self.can_be_shipped, self.shop.orders)
        parcel = None if whole else {next(iter(self.shop.unshipped(order) - self.known_missing(order))): 1}
        self.world.orders.execute(ShipOrder(order, ANY, next(self.ids), "DHL", "1", parcel))

    @precondition(lambda self: any(map(self.shop.remainder_can_be_cancelled, self.shop.orders)))
    @rule(which=some, who=st.sampled_from(["customer", "staff"]))
    def cancel_remainder(self, which: int, who: Literal["customer", "staff"]) -> None:
        order = chosen(which, self.shop.remainder_can_be_cancelled, self.shop.orders)
        customer = self.shop.customers[order] if who == "customer" else None
        with possible(customer not in self.shop.without_orders, AccountErased):
            self.world.orders.execute(CancelRemainder(order, customer))

    @precondition(lambda self: any(map(self.shop.can_be_delivered, self.shop.orders)))
    @rule(which=some)
    def deliver(self, which: int) -> None:
        order = chosen(which, self.shop.can_be_delivered, self.shop.orders)
        self.world.orders.execute(DeliverOrder(order, ANY))

    @precondition(lambda self: any(map(self.shop.has_parcels, self.shop.orders)))
    @rule(which=some, reason=st.sampled_from([None, None, *get_args(FailureReason)]))
    def settle_parcel(self, which: int, reason: FailureReason | None) -> None:
        """A parcel arrives, or fails."""
        order = chosen(which, self.shop.has_parcels, self.shop.orders)
        parcel = next(iter(self.shop.in_transit[order]))
        corrected = CorrectTracking(order, ANY, parcel, next(self.ids), "UPS", "2")
        self.world.orders.execute(corrected)
        command = FailParcel(order, ANY, parcel, reason) if reason else DeliverParcel(order, ANY, parcel)
        self.world.orders.execute(command)
        with pytest.raises(TransitionNotAllowed):
            self.world.orders.execute(command)

    @precondition(lambda self: any(map(self.shop.has_failed_parcels, self.shop.orders)))
    @rule(which=some, scrap=st.booleans())
    def take_parcel_back(self, which: int, scrap: bool) -> None:
        order = chosen(which, self.shop.has_failed_parcels, self.shop.orders)
        parcel, lines = next(iter(self.shop.failed[order].items()))
        scrapped = {next(iter(lines)): 1} if scrap else {}
        self.world.orders.execute(ReturnParcel(order, ANY, parcel, next(self.ids), scrapped))
        with pytest.raises(TransitionNotAllowed):
            self.world.orders.execute(ReturnParcel(order, ANY, parcel, next(self.ids), {}))

    @precondition(lambda self: any(map(self.shop.return_can_be_requested, self.shop.orders)))
    @rule(which=some)
    def request_return(self, which: int) -> None:
        order = chosen(which, self.shop.return_can_be_requested, self.shop.orders)
        customer, lines = self.shop.customers[order], {next(iter(self.shop.requestable(order))): 1}
        with possible(customer not in self.shop.without_orders, AccountErased):
            self.world.orders.execute(RequestReturn(order, ANY, customer, next(self.ids), lines))

    @precondition(lambda self: any(map(self.shop.has_open_requests, self.shop.orders)))
    @rule(which=some, approved=st.sampled_from([True, True, False]))
    def answer_request(self, which: int, approved: bool) -> None:
        order = chosen(which, self.shop.has_open_requests, self.shop.orders)
        request = self.shop.open_requests(order)[-1]
        allowed = not approved or self.shop.return_requests[order][request][0] == "requested"
        with possible(allowed, TransitionNotAllowed):
            self.world.orders.execute(AnswerReturn(order, ANY, request, approved))

    @precondition(lambda self: any(map(self.shop.can_be_returned, self.shop.orders)))
    @rule(which=some, scrap=st.booleans(), requested=st.booleans())
    def take_back(self, which: int, scrap: bool, requested: bool) -> None:
        """Take a piece back, for a request if there is one; it must be approved."""
        order = chosen(which, self.shop.can_be_returned, self.shop.orders)
        lines = {next(iter(self.shop.returnable(order))): 1}
        request = next(iter(self.shop.return_requests[order]), None) if requested else None
        goods = ReturnedGoods(lines, lines if scrap else {}, request)
        allowed = request is None or self.shop.return_requests[order][request][0] == "approved"
        with possible(allowed, TransitionNotAllowed):
            self.world.orders.execute(ReturnLines(order, ANY, next(self.ids), goods))

    @rule(order=placed)
    def try_what_is_not_allowed(self, order: UUID) -> None:
        if not self.shop.can_be_amended(order):
            with pytest.raises(TransitionNotAllowed):
                self.world.orders.execute(AmendOrder(order, None, ANY, {"MUG": 1}, {}))
        if not self.can_be_shipped(order):
            with pytest.raises(TransitionNotAllowed):
                self.world.orders.execute(ShipOrder(order, ANY, next(self.ids), "DHL", "1"))
        if not self.shop.remainder_can_be_cancelled(order):
            with pytest.raises(TransitionNotAllowed):
                self.world.orders.execute(CancelRemainder(order, None))
        if not self.shop.can_be_delivered(order):
            with pytest.raises(TransitionNotAllowed):
                self.world.orders.execute(DeliverOrder(order, ANY))
        if not self.shop.can_be_returned(order):
            with pytest.raises(TransitionNotAllowed):
                self.world.orders.execute(ReturnLines(order, ANY, next(self.ids), ReturnedGoods({"MUG": 1})))
        if (
            not self.shop.return_can_be_requested(order)
            and self.shop.customers[order] not in self.shop.without_orders
        ):
            with pytest.raises(TransitionNotAllowed):
                self.world.orders.execute(
                    RequestReturn(order, ANY, self.shop.customers[order], next(self.ids), {"MUG": 1})
                )

    def can_be_shipped(self, order: UUID) -> bool:
        left = self.shop.unshipped(order) - self.known_missing(order)
        return self.shop.can_be_shipped(order) and bool(left)

    def known_missing(self, order: UUID) -> Counter[str]:
        """What order_svc knows to be lost of an order."""
        known: Order = self.world.orders.memory.rows["orders"][order]
        return counted(known.missing_lines)

    def asking(self, order: UUID) -> int:
        """The number of the last attempt to reserve stock for an order."""
        return int(self.world.orders.memory.rows["orders"][order].reservation_attempts)

    def check_step(self, order: UUID, expected: str | None, step: SagaStep | None) -> None:
        """The saga did what was expected, and the timeline will show it."""
        assert (step and step.name) == expected
        if step:
            assert step.by == "deadline"
            self.expected_entries[order, step.type] += 1

    def known_for_sale(self, skus: Iterable[str]) -> bool:
        """Whether all of these are for sale, as far as order_svc knows."""
        products = self.world.orders.memory.rows["products"]
        return all(products[sku].for_sale for sku in skus)

    def take_new_events(self) -> None:
        for event in self.world.new_events():
            self.shop.take(event)
            if order := getattr(event, "order_id", None):
                self.expected_entries[order, event.type] += 1


def chosen(which: int, can: Callable[[UUID], bool], orders: Iterable[UUID]) -> UUID:
    """One of the orders for which ``can`` is true."""
    able = [order for order in orders if can(order)]
    return able[which % len(able)]


def possible(allowed: bool, refusal: type[Exception]) -> AbstractContextManager[object]:
    """The block must succeed if allowed, and be refused otherwise."""
    return nullcontext() if allowed else pytest.raises(refusal)
