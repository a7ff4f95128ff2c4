"""Execute a command once per Idempotency-Key."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Generic, TypeVar

from chassis.http.bodies import ResponseBody
from chassis.http.errors import IdempotencyKeyReused
from chassis.http.idempotency import KeyUse, respond_once
from chassis.persistence.command import Command
from product_svc.idempotency.domain import StoredResponse
from product_svc.unit_of_work import ProductUnitOfWork

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class ExecuteOnce(Generic[R]):
    """Execute a command unless its key was used before; the response is stored in the same transaction."""

    errors: ClassVar = (IdempotencyKeyReused,)
    command: Command[ProductUnitOfWork, R]
    to_body: Callable[[R], ResponseBody]
    """Makes the response body of the command's result."""
    use: KeyUse
    seconds: float
    """How long the response is kept."""

    def prefetch(self, uow: ProductUnitOfWork) -> None:
        """The stored response, and what the command reads."""
        uow.responses.prefetch(self.use.id)
        self.command.prefetch(uow)

    def execute(self, uow: ProductUnitOfWork) -> tuple[StoredResponse, bool]:
        """Return the response, and whether it is a replay."""

        def first() -> StoredResponse:
            body = self.to_body(self.command.execute(uow)).model_dump_json()
            return StoredResponse(self.use.id, self.use.fingerprint, body, uow.now + timedelta(seconds=self.seconds))

        return respond_once(uow.responses, self.use, first)
