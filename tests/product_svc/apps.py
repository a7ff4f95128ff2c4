"""The settings of the REST API of product_svc in tests."""

from product_svc.settings import RestSettings


def settings(mongo_url: str) -> RestSettings:
    return RestSettings.model_validate(
        {
            "mongo_url": mongo_url,
            "kafka_bootstrap_servers": "unreachable:9092",
            "jwks_url": "http://127.0.0.1:9/jwks.json",
            # Tests change what they count.
            "facets_seconds": 0,
        }
    )
