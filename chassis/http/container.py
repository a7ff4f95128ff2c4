"""What an app needs of its service's container."""

from typing import Any, Protocol, TypeVar

from chassis.http.auth import Verifier
from chassis.persistence.database import Database
from chassis.persistence.group_commit import GroupCommit


class RestContainer(Protocol):
    """The parts of a REST process that every service has; a service's own ``container.Container`` adds more."""

    @property
    def database(self) -> Database[Any]:
        """The service's own database."""
        ...

    @property
    def commit(self) -> GroupCommit[Any]:
        """The write side."""
        ...

    @property
    def verifier(self) -> Verifier:
        """Checks access tokens."""
        ...


C = TypeVar("C", bound=RestContainer)
