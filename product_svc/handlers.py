"""Everything that product_svc reacts to: event → command."""

from chassis.messaging.handlers import Handlers
from product_svc.erasure.commands import RedactDeadLetters
from product_svc.reservations.commands import (
    CommitShipment,
    ReleaseRemainder,
    ReleaseStock,
    ReserveAmendment,
    ReserveLost,
    ReserveStock,
    RestockReturn,
    SettleAmendment,
)
from product_svc.unit_of_work import ProductUnitOfWork
from schemas import (
    AmendmentAccepted,
    AmendmentRefused,
    MissingRequested,
    OrderAmended,
    OrderCancelled,
    OrderPlaced,
    OrderReturned,
    OrdersAnonymised,
    OrderShipped,
    ParcelReturned,
    RemainderCancelled,
)

HANDLERS: Handlers[ProductUnitOfWork] = {
    OrderPlaced: ReserveStock,
    OrderCancelled: ReleaseStock,
    OrderAmended: ReserveAmendment,
    AmendmentAccepted: SettleAmendment,
    AmendmentRefused: SettleAmendment,
    OrderShipped: CommitShipment,
    RemainderCancelled: ReleaseRemainder,
    MissingRequested: ReserveLost,
    OrderReturned: RestockReturn,
    ParcelReturned: RestockReturn,
    OrdersAnonymised: RedactDeadLetters,
}
