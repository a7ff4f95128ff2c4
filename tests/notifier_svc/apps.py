"""The REST app of notifier_svc on a database, and the type of what runs a sender."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from fastapi import FastAPI

from notifier_svc.delivery.sender import Sender
from notifier_svc.main import build
from notifier_svc.settings import RestSettings

Sending = Callable[..., AbstractAsyncContextManager[Sender]]


def rest_app(postgres_url: str) -> FastAPI:
    settings = {
        "postgres_url": postgres_url,
        "kafka_bootstrap_servers": "unreachable:9092",
        "jwks_url": "http://127.0.0.1:9/jwks.json",
    }
    return build(RestSettings.model_validate(settings))
