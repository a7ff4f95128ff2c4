"""Keeping the replica of customers up to date."""

from dataclasses import dataclass, replace
from typing import ClassVar
from uuid import UUID

from chassis.email_address import normalised_email
from chassis.messaging.handlers import OnRepeat
from notifier_svc.replicas.domain import Customer
from notifier_svc.unit_of_work import NotifierUnitOfWork
from schemas import CustomerRegistered, EmailChanged, EmailChangeReverted, Envelope, ProfileChanged


@dataclass(frozen=True, slots=True)
class UpsertCustomer:
    """Keep the address of a customer who has registered."""

    on_repeat: ClassVar[OnRepeat] = "converge"
    envelope: Envelope[CustomerRegistered]

    def prefetch(self, uow: NotifierUnitOfWork) -> None:
        """The replica of the customer."""
        uow.customers.prefetch(self.envelope.event.customer_id)

    def execute(self, uow: NotifierUnitOfWork) -> None:
        """An event older than the replica changes nothing."""
        event, version = self.envelope.event, self.envelope.aggregate_version
        _upsert(uow, Customer(event.customer_id, normalised_email(event.email), event.name, version, event.locale))


@dataclass(frozen=True, slots=True)
class UpdateCustomer:
    """Keep a changed name, language, time zone or choice of mails."""

    on_repeat: ClassVar[OnRepeat] = "converge"
    envelope: Envelope[ProfileChanged]

    def prefetch(self, uow: NotifierUnitOfWork) -> None:
        """The replica of the customer."""
        uow.customers.prefetch(self.envelope.event.customer_id)

    def execute(self, uow: NotifierUnitOfWork) -> None:
        """Raise ``LookupError`` for an unknown customer.

        The events of a customer arrive in order, so that happens only behind a dead letter of theirs.
        """
        event, version = self.envelope.event, self.envelope.aggregate_version
        known = uow.customers.get(event.customer_id)
        if known is None:
            raise LookupError(f"the profile of customer {event.customer_id} changed before they registered")
        if not known.erased:
            fields = {name: getattr(event, name) for name in ("name", "locale", "order_updates", "time_zone")}
            _upsert(uow, replace(known, version=version, **fields))


@dataclass(frozen=True, slots=True)
class UpdateEmail:
    """Keep a changed address. What is known about the old one, such as a suppression, stays with that."""

    on_repeat: ClassVar[OnRepeat] = "converge"
    envelope: Envelope[EmailChanged] | Envelope[EmailChangeReverted]

    def prefetch(self, uow: NotifierUnitOfWork) -> None:
        """The replica of the customer."""
        uow.customers.prefetch(self.envelope.event.customer_id)

    def execute(self, uow: NotifierUnitOfWork) -> None:
        """Raise ``LookupError`` for an unknown customer, as ``UpdateCustomer`` does."""
        event, version = self.envelope.event, self.envelope.aggregate_version
        known = uow.customers.get(event.customer_id)
        if known is None:
            raise LookupError(f"the address of customer {event.customer_id} changed before they registered")
        if not known.erased:
            _upsert(uow, replace(known, version=version, email=normalised_email(event.email)))


@dataclass(frozen=True, slots=True)
class RegisterStaff:
    """Keep the address and locale of the staff, which come from the settings and may have changed."""

    staff: Customer

    def prefetch(self, uow: NotifierUnitOfWork) -> None:
        """The replica of the staff."""
        uow.customers.prefetch(self.staff.id)

    def execute(self, uow: NotifierUnitOfWork) -> None:
        """Nothing is written if nothing has changed."""
        known = uow.customers.get(self.staff.id)
        if known is None:
            uow.customers.set(self.staff.id, self.staff)
        elif replace(known, version=self.staff.version) != self.staff:
            uow.customers.set(self.staff.id, replace(self.staff, version=known.version + 1))


def is_erased(uow: NotifierUnitOfWork, customer_id: UUID) -> bool:
    """Whether a customer, who must be prefetched, was erased."""
    known = uow.customers.get(customer_id)
    return known is not None and known.erased


def _upsert(uow: NotifierUnitOfWork, customer: Customer) -> None:
    known = uow.customers.get(customer.id)
    if known is None or known.version < customer.version:
        uow.customers.set(customer.id, customer)
