"""The REST app of notifier_svc on a database."""

from fastapi import FastAPI

from notifier_svc.main import build
from notifier_svc.settings import RestSettings


def rest_app(postgres_url: str) -> FastAPI:
    settings = {
        "postgres_url": postgres_url,
        "kafka_bootstrap_servers": "nobody:9092",
        "jwks_url": "http://127.0.0.1:9/jwks.json",
    }
    return build(RestSettings.model_validate(settings))
