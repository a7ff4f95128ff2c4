"""The contracts: every event that one service publishes and others consume, and nothing else.

A service may change anything inside itself, but may only add to what is here. The JSON Schema and one example of
every event version are committed under ``golden/``, and tests compare them with the code.
"""

from schemas.customer import (
    AddressesChanged,
    CustomerDeactivated,
    CustomerErased,
    CustomerReactivated,
    CustomerRegistered,
    CustomerVerified,
    EmailChanged,
    EmailChangeRequested,
    EmailChangeReverted,
    MailedLink,
    PasswordChanged,
    PasswordResetRequested,
    ProfileChanged,
    RegistrationRepeated,
    VerificationRequested,
)
from schemas.envelope import Envelope, Message, Undecodable, decode, decode_type, encode, misplaced
from schemas.erasure import MailsAnonymised, OrdersAnonymised, answer_id
from schemas.event import CATALOGUE, Event
from schemas.notification import STAFF, MailFailed, MailSent
from schemas.order import (
    AmendmentAccepted,
    AmendmentRefused,
    OrderAmended,
    OrderCancelled,
    OrderConfirmed,
    OrderDelivered,
    OrderPlaced,
    OrderRejected,
    OrderReturned,
    OrderShipped,
)
from schemas.product import ProductChanged, ProductCreated, ProductDrafted
from schemas.stock import (
    StockAdjusted,
    StockCommitted,
    StockLow,
    StockRejected,
    StockReleased,
    StockReserved,
    StockReturned,
)
from schemas.topics import TOPICS
from schemas.values import Address, Line, Money, PricedLine, Shortage

__all__ = [
    "CATALOGUE",
    "STAFF",
    "TOPICS",
    "Address",
    "AddressesChanged",
    "AmendmentAccepted",
    "AmendmentRefused",
    "CustomerDeactivated",
    "CustomerErased",
    "CustomerReactivated",
    "CustomerRegistered",
    "CustomerVerified",
    "EmailChangeRequested",
    "EmailChangeReverted",
    "EmailChanged",
    "Envelope",
    "Event",
    "Line",
    "MailFailed",
    "MailSent",
    "MailedLink",
    "MailsAnonymised",
    "Message",
    "Money",
    "OrderAmended",
    "OrderCancelled",
    "OrderConfirmed",
    "OrderDelivered",
    "OrderPlaced",
    "OrderRejected",
    "OrderReturned",
    "OrderShipped",
    "OrdersAnonymised",
    "PasswordChanged",
    "PasswordResetRequested",
    "PricedLine",
    "ProductChanged",
    "ProductCreated",
    "ProductDrafted",
    "ProfileChanged",
    "RegistrationRepeated",
    "Shortage",
    "StockAdjusted",
    "StockCommitted",
    "StockLow",
    "StockRejected",
    "StockReleased",
    "StockReserved",
    "StockReturned",
    "Undecodable",
    "VerificationRequested",
    "answer_id",
    "decode",
    "decode_type",
    "encode",
    "misplaced",
]
