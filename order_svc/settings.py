"""What order_svc can be told."""

from pydantic import Field

from chassis.runtime.settings import HttpUrl, PostgresSettings


class WorkerSettings(PostgresSettings):
    """The event process."""

    order_deadline_seconds: float = Field(default=600.0, gt=0, le=31_536_000)
    """An order that has no answer about its stock by then is cancelled; at half of it, stock is asked for again."""
    idempotency_seconds: float = Field(default=86_400.0, gt=0, le=31_536_000)
    """For so long, at least, an order that is sent again with its Idempotency-Key gets its first answer."""


class RestSettings(PostgresSettings):
    """The REST front."""

    jwks_url: HttpUrl
    """Where customer_svc publishes the keys of access tokens."""
    product_url: HttpUrl
    """The REST API of product_svc, asked for products that we have not heard of yet."""
    saga_stuck_seconds: float = Field(default=60.0, gt=0, le=31_536_000)
    """An order that has waited for an answer about its stock for longer is listed as stuck."""
