"""The settings of the REST API of order_svc in tests."""

from order_svc.settings import RestSettings


def settings(postgres_url: str, product_url: str) -> RestSettings:
    return RestSettings.model_validate(
        {
            "postgres_url": postgres_url,
            "product_url": product_url,
            "kafka_bootstrap_servers": "unreachable:9092",
            "jwks_url": "http://127.0.0.1:9/jwks.json",
            # Some tests order more than people do.
            "orders_per_minute": 1_000_000,
            "pieces_held": 1_000_000_000,
        }
    )
