"""What can be done in order_svc. Each function decides inside a transaction that it neither opens nor ends."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chassis.http.preconditions import ANY, unchanged_since
from order_svc import domain, saga
from order_svc.customer import destination, invoiced
from order_svc.domain import Order, Product, Reason
from order_svc.errors import AccountErased, NotForSale, OrderUnknown, OtherCurrency, SkuUnknown
from order_svc.journal import Step
from order_svc.store import Entry, OrderBook
from schemas import Address, Envelope, Event, StockRejected, StockReserved


@dataclass(frozen=True, slots=True)
class Basket:
    """What a customer asks for. ``order_id`` is made before the transaction, so that a retry repeats it."""

    order_id: UUID
    customer_id: UUID
    quantities: Mapping[str, int]
    shipping_address: Address | None
    """None for where the customer's orders go by default."""
    billing_address: Address | None = None
    notes: str | None = None
    currency: str | None = None
    """None for whichever the products are sold in."""


def want_basket(book: OrderBook, basket: Basket) -> None:
    """Want what ``place_order`` looks at."""
    book.orders.mark_new(basket.order_id)
    book.products.prefetch(*basket.quantities)
    book.customers.prefetch(basket.customer_id)


def place_order(book: OrderBook, basket: Basket) -> Order:
    """Accept an order at the catalogue's prices.

    Raise ``AccountDeactivated``, ``AccountErased``, ``NoShippingAddress``, ``SkuUnknown`` for SKUs that our copy of
    the catalogue lacks, ``NotForSale``, ``MixedCurrencies``, ``OtherCurrency``, ``OrderTooLarge``.
    """
    customer = book.customers.get(basket.customer_id)
    if customer:
        customer.require_active()
    address = destination(customer, basket.shipping_address)
    products = for_sale(book, basket.quantities)
    lines = [domain.priced(products[sku], quantity) for sku, quantity in basket.quantities.items()]
    order, placed = domain.place(
        basket.order_id,
        basket.customer_id,
        lines,
        address,
        book.now,
        invoiced(customer, basket.billing_address),
        basket.notes,
    )
    if basket.currency not in (None, order.total.currency):
        raise OtherCurrency(currency=order.total.currency)
    book.keep(order, placed)
    return order


def for_sale(book: OrderBook, skus: Iterable[str]) -> dict[str, Product]:
    """What we know of SKUs, by SKU; raise ``SkuUnknown`` or ``NotForSale``, naming all of them."""
    products = {sku: book.products.get(sku) for sku in skus}
    known = {sku: product for sku, product in products.items() if product is not None}
    if len(known) < len(products):
        raise SkuUnknown(skus=[sku for sku in products if sku not in known])
    if gone := [sku for sku, product in known.items() if not product.for_sale]:
        raise NotForSale(skus=gone)
    return known


def own_order(book: OrderBook, order_id: UUID, customer_id: UUID | None) -> Order:
    """An order of a customer, or anybody's (None); raise ``OrderUnknown``, also for somebody else's."""
    order = book.orders.get(order_id)
    if order is None or customer_id not in (None, order.customer_id):
        raise OrderUnknown
    return order


def want_order(book: OrderBook, order_id: UUID) -> None:
    """Want an order, and whose it is: what decides with words that may be personal looks at both."""
    book.orders.prefetch(order_id)
    book.owners.prefetch(order_id)


def of_nobody(book: OrderBook, order: Order) -> bool:
    """Whether the customer of an order was erased: nothing is kept any more that could say who that was."""
    owner = book.owners.get(order.id)
    return owner is not None and owner.standing == "erased"


def cancel_order(
    book: OrderBook,
    order_id: UUID,
    customer_id: UUID | None,
    reason: Reason,
    note: str | None = None,
    if_match: str = ANY,
) -> Order:
    """End an order before shipping; ``customer_id`` is its owner, None for staff.

    Raise ``OrderUnknown``, also for somebody else's, ``AccountErased``, ``PreconditionFailed``, ``NotPossibleNow``.
    """
    order = own_order(book, order_id, customer_id)
    if of_nobody(book, order):
        if customer_id:
            # A token outlives its account by minutes.
            raise AccountErased
        note = None
    unchanged_since(if_match, order.version)
    order, cancelled = order.cancel(reason, book.now, note)
    book.keep(order, cancelled)
    return order


def take_answer(book: OrderBook, answer: Envelope[StockReserved] | Envelope[StockRejected]) -> None:
    """Move an order on with the answer about its stock."""
    event = answer.event
    order = book.orders.get(event.order_id)
    if order is None:
        raise LookupError(f"an answer for order {event.order_id}, which was never stored")
    book.timeline.add(Entry(order.id, answer.time, event.type, _of_revision(event.revision)))
    moves = saga.on_answer(order, event, book.now)
    for order, told in moves:
        book.keep(order, told, None if told else Step("left_to_amendment"))
    if not moves:
        ignored = Step("answer_ignored")
        book.timeline.add(Entry(order.id, book.now, ignored.type, ignored.detail))


def learn_product(book: OrderBook, product: Product) -> None:
    """Keep our copy of the catalogue; what is older than the copy changes nothing."""
    known = book.products.get(product.sku)
    if known is None or known.version < product.version:
        book.products.set(product.sku, product)


def _of_revision(revision: int) -> dict[str, int]:
    # Most orders are never amended, and say nothing of revisions.
    return {"revision": revision} if revision > 1 else {}


def note(book: OrderBook, order_id: UUID, envelope: Envelope[Event], detail: Mapping[str, Any]) -> None:
    """Enter in an order's timeline what another service did for it."""
    book.timeline.add(Entry(order_id, envelope.time, envelope.event.type, dict(detail)))
