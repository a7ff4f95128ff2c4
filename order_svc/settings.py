"""The settings of order_svc."""

from pydantic import Field

from chassis.runtime.settings import PostgresSettings, ServiceUrl


class OrderSettings(PostgresSettings):
    """Both processes."""

    saga_stuck_seconds: float = Field(default=60.0, gt=0, le=31_536_000)
    """Seconds without a stock reservation after which a saga is listed and counted as stuck."""


class WorkerSettings(OrderSettings):
    """The event process."""

    order_deadline_seconds: float = Field(default=600.0, gt=0, le=31_536_000)
    """Seconds to wait for a stock reservation before the order is cancelled; a retry happens after half of them."""
    idempotency_seconds: float = Field(default=86_400.0, gt=0, le=31_536_000)
    """Minimum seconds for which a repeated ``Idempotency-Key`` gets the first response again."""


class RestSettings(OrderSettings):
    """The REST front."""

    jwks_url: ServiceUrl
    """URL of customer_svc's public keys, which verify access tokens: ``…/.well-known/jwks.json``."""
    product_url: ServiceUrl
    """Base URL of product_svc's REST API, which supplies products whose events have not arrived yet."""
    orders_per_minute: int = Field(default=60, ge=1, le=1_000_000)
    """Most orders that an account can place and amend in a minute."""
    pieces_held: int = Field(default=10_000, ge=1, le=10**15)
    """Most pieces that an account can have on order that are not shipped yet."""
