"""What order_svc does with what it hears of customers, inside a transaction that it neither opens nor ends."""

from uuid import UUID

from order_svc import SERVICE
from order_svc.customer import Customer, Standing
from order_svc.domain import Forgotten
from order_svc.store import OrderBook
from schemas import AddressesChanged, OrdersAnonymised, answer_id


def learn_standing(book: OrderBook, customer_id: UUID, standing: Standing, version: int) -> None:
    """Keep whether a customer may order."""
    known = _known(book, customer_id)
    _keep(book, known, known.stands(standing, version))


def learn_addresses(book: OrderBook, event: AddressesChanged, version: int) -> None:
    """Keep where a customer's orders and bills go by default."""
    known = _known(book, event.customer_id)
    _keep(book, known, known.lives(event.shipping, event.billing, version))


def forget_customer(book: OrderBook, customer_id: UUID, version: int) -> None:
    """Keep a customer's orders without where they went, take no more of them, and tell so.

    What has not been shipped never will be: nobody knows where it was to go.
    """
    known = _known(book, customer_id)
    _keep(book, known, known.erased(version))
    if book.forgotten.get(customer_id) is None:
        book.forgotten.set(customer_id, Forgotten(customer_id, book.now))
        book.redactions.add(customer_id)
        for order in book.orders.present:
            if order.customer_id == customer_id and "cancel" in order.steps:
                book.keep(*order.cancel("customer", book.now))
        done = OrdersAnonymised(answer_id=answer_id(SERVICE, customer_id), customer_id=customer_id)
        book.emit(done, 1, book.now)


def _known(book: OrderBook, customer_id: UUID) -> Customer:
    return book.customers.get(customer_id) or Customer(customer_id)


def _keep(book: OrderBook, known: Customer, heard: Customer) -> None:
    if heard != known:
        book.customers.set(heard.id, heard)
