"""Everything that order_svc reacts to: event → command."""

from chassis.messaging.handlers import Handlers
from order_svc.erasure.commands import EraseCustomer
from order_svc.replicas.commands import (
    ReplicateAccountStatus,
    ReplicateChangedProduct,
    ReplicateCreatedProduct,
    ReplicateDefaultAddresses,
)
from order_svc.saga.commands import HandleReservationReply
from order_svc.timeline.commands import RecordMail, RecordStockMovement
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
    StockCommitted,
    StockRejected,
    StockReleased,
    StockReserved,
    StockReturned,
)

HANDLERS: Handlers[OrderUnitOfWork] = {
    CustomerRegistered: ReplicateAccountStatus,
    CustomerReactivated: ReplicateAccountStatus,
    CustomerDeactivated: ReplicateAccountStatus,
    AddressesChanged: ReplicateDefaultAddresses,
    CustomerErased: EraseCustomer,
    ProductCreated: ReplicateCreatedProduct,
    ProductChanged: ReplicateChangedProduct,
    StockReserved: HandleReservationReply,
    StockRejected: HandleReservationReply,
    StockReleased: RecordStockMovement,
    StockCommitted: RecordStockMovement,
    StockReturned: RecordStockMovement,
    MailSent: RecordMail,
    MailFailed: RecordMail,
}
