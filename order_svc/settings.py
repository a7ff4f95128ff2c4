"""The settings of order_svc's processes."""

from pydantic import Field

from chassis.runtime.settings import HttpUrl, PostgresSettings


class WorkerSettings(PostgresSettings):
    """The event process."""

    order_deadline_seconds: float = Field(default=600.0, gt=0, le=31_536_000)
    """An order that has no reply about its stock by then is cancelled; at half of it, stock is requested again."""
    idempotency_seconds: float = Field(default=86_400.0, gt=0, le=31_536_000)
    """For at least so long, an order that is repeated with its Idempotency-Key gets its first response again."""


class RestSettings(PostgresSettings):
    """The REST process."""

    jwks_url: HttpUrl
    """Where customer_svc publishes the keys that verify access tokens."""
    product_url: HttpUrl
    """The REST API of product_svc, called for products that are not replicated yet."""
    saga_stuck_seconds: float = Field(default=60.0, gt=0, le=31_536_000)
    """An order that has waited longer than this for a reply about its stock is listed as stuck."""
