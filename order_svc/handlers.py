"""Everything that order_svc reacts to: event → command."""

from chassis.messaging.handlers import Handlers
from chassis.rebuild.replica import Replica, Replicas
from order_svc.erasure.commands import EraseCustomer
from order_svc.erasure.queries import ERASED_CUSTOMERS
from order_svc.erasure.store import erased_customers
from order_svc.orders.store import idempotency_keys, orders
from order_svc.replicas.commands import (
    ReplicateAccountStatus,
    ReplicateChangedProduct,
    ReplicateCreatedProduct,
    ReplicateDefaultAddresses,
    ReplicateName,
)
from order_svc.replicas.store import customers, products
from order_svc.saga.commands import HandleReservationReply, HandleStockLost
from order_svc.timeline.commands import RecordMail, RecordStockMovement
from order_svc.timeline.store import timeline
from order_svc.unit_of_work import OrderUnitOfWork
from schemas import (
    AddressesChanged,
    CustomerDeactivated,
    CustomerErased,
    CustomerReactivated,
    CustomerRegistered,
    MailFailed,
    MailSent,
    ProductChanged,
    ProductCreated,
    ProfileChanged,
    StockCommitted,
    StockLost,
    StockRejected,
    StockReleased,
    StockReserved,
    StockReturned,
)

HANDLERS: Handlers[OrderUnitOfWork] = {
    CustomerRegistered: ReplicateAccountStatus,
    CustomerReactivated: ReplicateAccountStatus,
    CustomerDeactivated: ReplicateAccountStatus,
    ProfileChanged: ReplicateName,
    AddressesChanged: ReplicateDefaultAddresses,
    CustomerErased: EraseCustomer,
    ProductCreated: ReplicateCreatedProduct,
    ProductChanged: ReplicateChangedProduct,
    StockReserved: HandleReservationReply,
    StockRejected: HandleReservationReply,
    StockLost: HandleStockLost,
    StockReleased: RecordStockMovement,
    StockCommitted: RecordStockMovement,
    StockReturned: RecordStockMovement,
    MailSent: RecordMail,
    MailFailed: RecordMail,
}

REPLICAS: Replicas = [
    Replica(
        products,
        "product_id",
        {ProductCreated: ReplicateCreatedProduct, ProductChanged: ReplicateChangedProduct},
        ignored={"by_rest"},
        # The events about it may not have arrived yet.
        kept="live.by_rest AND (rebuilt.sku IS NULL OR live.version > rebuilt.version)",
    ),
    Replica(
        customers,
        "id",
        {
            CustomerRegistered: ReplicateAccountStatus,
            CustomerReactivated: ReplicateAccountStatus,
            CustomerDeactivated: ReplicateAccountStatus,
            ProfileChanged: ReplicateName,
            AddressesChanged: ReplicateDefaultAddresses,
            CustomerErased: EraseCustomer,
        },
        touched=(orders, timeline, idempotency_keys, erased_customers),
        kept="coalesce(rebuilt.account_status, '') <> 'erased' AND EXISTS"
        " (SELECT FROM public.erased_customers erased WHERE erased.customer_id = live.id)",
        anonymous="{row}.account_status = 'erased'",
        erased=ERASED_CUSTOMERS,
    ),
]
"""What ops can rebuild. Products that were read from the catalogue, and customers who were erased, stay."""
