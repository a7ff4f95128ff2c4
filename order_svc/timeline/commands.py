"""Enters in timelines what other services report about orders, where the order itself does not change."""

from dataclasses import dataclass
from typing import ClassVar

from chassis.messaging.handlers import OnRepeat
from order_svc.timeline.domain import entry_from_elsewhere
from order_svc.unit_of_work import OrderUnitOfWork
from schemas import Envelope, MailFailed, MailSent, StockCommitted, StockReleased, StockReturned


@dataclass(frozen=True, slots=True)
class RecordStockMovement:
    """Reserved stock was released, a parcel left the warehouse, or a return came back."""

    on_repeat: ClassVar[OnRepeat] = "converge"
    envelope: Envelope[StockReleased] | Envelope[StockCommitted] | Envelope[StockReturned]

    def prefetch(self, _uow: OrderUnitOfWork, /) -> None:
        """No rows: the timeline is only added to."""

    def execute(self, uow: OrderUnitOfWork) -> None:
        """Add an entry; a release of an amendment's stock names the revision."""
        event = self.envelope.event
        fields = {"revision", "remainder"} if isinstance(event, StockReleased) else set()
        detail = event.model_dump(include=fields, exclude_defaults=True)
        uow.timeline.add(entry_from_elsewhere(self.envelope, event.order_id, detail))


@dataclass(frozen=True, slots=True)
class RecordMail:
    """A mail was sent, or could not be."""

    on_repeat: ClassVar[OnRepeat] = "converge"
    envelope: Envelope[MailSent] | Envelope[MailFailed]

    def prefetch(self, _uow: OrderUnitOfWork, /) -> None:
        """No rows: the timeline is only added to."""

    def execute(self, uow: OrderUnitOfWork) -> None:
        """Add an entry, if the mail is about an order."""
        event = self.envelope.event
        if event.order_id:
            fields = {"template", "mail_id", "resend_of"}
            detail = event.model_dump(mode="json", include=fields, exclude_none=True)
            uow.timeline.add(entry_from_elsewhere(self.envelope, event.order_id, detail))
