"""The settings of order_svc."""

from pydantic import Field

from chassis.runtime.origins import origin_of
from chassis.runtime.settings import HttpUrl, PostgresSettings, ServiceUrl


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
    shop_url: HttpUrl | None = None
    """Base URL of the pages that links in mails open: the page of an order reads it from a browser, as pages of
    ``CORS_ORIGINS`` do."""

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins of ``CORS_ORIGINS``, and that of ``SHOP_URL``."""
        own = (origin_of(self.shop_url),) if self.shop_url else ()
        return tuple(dict.fromkeys((*super().origins, *own)))
