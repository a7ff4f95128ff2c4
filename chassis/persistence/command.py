"""A command: one decision inside a transaction that it neither opens nor commits."""

from typing import Protocol, TypeVar

from chassis.persistence.unit_of_work import UnitOfWork

U_contra = TypeVar("U_contra", bound=UnitOfWork, contravariant=True)
R_co = TypeVar("R_co", covariant=True)


class Command(Protocol[U_contra, R_co]):
    """A frozen dataclass: its fields are the arguments, ``errors`` (where it has any) what ``execute`` may raise.

    Commands are retried and share transactions, so both methods may run several times; neither has side effects
    outside the unit of work.
    """

    def prefetch(self, uow: U_contra, /) -> None:
        """Name the rows that ``execute`` reads or changes; they are loaded and locked together."""
        ...

    def execute(self, uow: U_contra, /) -> R_co:
        """Decide, in memory; what this raises undoes this command alone."""
        ...
