"""What order_svc does when others tell it something."""

from chassis.closures import Handler
from chassis.messaging.handlers import Handlers
from order_svc.commands import learn_product, note, take_answer
from order_svc.customer import Standing
from order_svc.customer_commands import forget_customer, learn_addresses, learn_standing
from order_svc.domain import Product
from order_svc.store import OrderBook
from schemas import (
    AddressesChanged,
    CustomerDeactivated,
    CustomerErased,
    CustomerReactivated,
    CustomerRegistered,
    Envelope,
    MailFailed,
    MailSent,
    ProductChanged,
    ProductCreated,
    StockCommitted,
    StockRejected,
    StockReleased,
    StockReserved,
    StockReturned,
)

Standings = CustomerRegistered | CustomerDeactivated | CustomerReactivated


def learn_products(book: OrderBook, envelope: Envelope[ProductCreated]) -> None:
    """A product entered the catalogue: its variants can be ordered."""
    event = envelope.event
    for variant in event.variants:
        product = Product(variant.sku, event.product_id, event.name, variant.price, envelope.aggregate_version)
        learn_product(book, product)


def learn_changes(book: OrderBook, envelope: Envelope[ProductChanged]) -> None:
    """A product has other names, prices or variants, or is for sale no longer. Nobody orders drafts."""
    event = envelope.event
    if event.status == "draft":
        return
    for offer in event.offers:
        version = envelope.aggregate_version
        product = Product(offer.sku, event.product_id, event.name, offer.price, version, offer.for_sale)
        learn_product(book, product)


def note_stock(book: OrderBook, envelope: Envelope[StockReleased | StockCommitted | StockReturned]) -> None:
    """What was reserved for an order can be sold again, or has left the house, or has come back."""
    about = {"revision"} if isinstance(envelope.event, StockReleased) else set()
    note(book, envelope.event.order_id, envelope, envelope.event.model_dump(include=about, exclude_none=True))


def note_mail(book: OrderBook, envelope: Envelope[MailSent | MailFailed]) -> None:
    """A mail about an order left, or could not."""
    if envelope.event.order_id:
        about = {"template", "mail_id", "resend_of"}
        detail = envelope.event.model_dump(mode="json", include=about, exclude_none=True)
        note(book, envelope.event.order_id, envelope, detail)


def stand(standing: Standing) -> Handler:
    """Keeps how the account of a customer stands: who is deactivated cannot order."""

    def learn(book: OrderBook, envelope: Envelope[Standings]) -> None:
        learn_standing(book, envelope.event.customer_id, standing, envelope.aggregate_version)

    return Handler(learn, wants=its_customer)


def learn_defaults(book: OrderBook, envelope: Envelope[AddressesChanged]) -> None:
    """A customer's orders and bills go elsewhere by default."""
    learn_addresses(book, envelope.event, envelope.aggregate_version)


def forget(book: OrderBook, envelope: Envelope[CustomerErased]) -> None:
    """A customer is to be forgotten: the orders stay, and where they went is gone."""
    forget_customer(book, envelope.event.customer_id, envelope.aggregate_version)


def its_customer(book: OrderBook, event: Standings | AddressesChanged) -> None:
    """Wants our copy of the customer."""
    book.customers.prefetch(event.customer_id)


def whoever_is_forgotten(book: OrderBook, event: CustomerErased) -> None:
    """Wants our copy of the customer, and to know whether the customer is forgotten already."""
    book.customers.prefetch(event.customer_id)
    book.forgotten.prefetch(event.customer_id)


def its_skus(book: OrderBook, event: ProductCreated) -> None:
    """Wants our copies of the product's variants."""
    book.products.prefetch(*(variant.sku for variant in event.variants))


def its_offers(book: OrderBook, event: ProductChanged) -> None:
    """Wants our copies of the product's variants."""
    book.products.prefetch(*(offer.sku for offer in event.offers))


def its_order(book: OrderBook, event: StockReserved | StockRejected) -> None:
    """Wants the order."""
    book.orders.prefetch(event.order_id)


def nothing(_book: OrderBook, _event: object) -> None:
    """Wants no row: the timeline is only added to."""


HANDLERS: Handlers[OrderBook] = {
    CustomerRegistered: stand("active"),
    CustomerReactivated: stand("active"),
    CustomerDeactivated: stand("deactivated"),
    AddressesChanged: Handler(learn_defaults, wants=its_customer),
    CustomerErased: Handler(forget, wants=whoever_is_forgotten),
    ProductCreated: Handler(learn_products, wants=its_skus),
    ProductChanged: Handler(learn_changes, wants=its_offers),
    StockReserved: Handler(take_answer, wants=its_order),
    StockRejected: Handler(take_answer, wants=its_order),
    StockReleased: Handler(note_stock, wants=nothing),
    StockCommitted: Handler(note_stock, wants=nothing),
    StockReturned: Handler(note_stock, wants=nothing),
    MailSent: Handler(note_mail, wants=nothing),
    MailFailed: Handler(note_mail, wants=nothing),
}
