"""Execute a command once per Idempotency-Key."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Generic, TypeVar

from chassis.http.bodies import ResponseBody
from chassis.http.errors import IdempotencyKeyReused
from chassis.http.idempotency import KeyUse, earlier_response
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
        if earlier := earlier_response(uow.responses, self.use):
            return earlier, True
        body = self.to_body(self.command.execute(uow)).model_dump_json()
        expires_at = uow.now + timedelta(seconds=self.seconds)
        response = StoredResponse(self.use.id, self.use.fingerprint, body, expires_at)
        uow.responses.set(self.use.id, response)
        return response, False
