"""The four REST apps, built but not started: enough for their OpenAPI documents."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fastapi import FastAPI

from chassis.testing import LINK_KEY, private_key
from customer_svc.main import build as customers
from customer_svc.settings import Settings as CustomerSettings
from notifier_svc.main import build as notifications
from notifier_svc.settings import RestSettings as NotifierSettings
from order_svc.main import build as orders
from order_svc.settings import RestSettings as OrderSettings
from product_svc.main import build as products
from product_svc.settings import RestSettings as ProductSettings

SERVICES = ("customer", "product", "order", "notifier")
PLENTY = 1_000_000
"""No request is throttled."""


def build(
    urls: Mapping[str, str], stores: Mapping[str, str], home: Path, cors_origins: str = ""
) -> dict[str, FastAPI]:
    """The apps with these URLs and databases."""
    key = home / "jwt.pem"
    key.write_bytes(private_key())
    every = {"kafka_bootstrap_servers": "unreachable:9092", "cors_origins": cors_origins}
    others = every | {"jwks_url": f"{urls['customer']}/.well-known/jwks.json"}
    throttle = dict.fromkeys(
        ("login_tries_per_account", "login_tries_per_address", "register_tries_per_address"), PLENTY
    )
    settings: dict[str, dict[str, Any]] = {
        "customer": every
        # On a slow machine these tests take longer than a token is valid.
        | {"jwt_private_key_file": key, "link_key": LINK_KEY, "jwt_seconds": 86_400}
        | {"order_url": urls["order"], "notifier_url": urls["notifier"]}
        | throttle,
        "product": others,
        "order": others | {"product_url": urls["product"]},
        "notifier": others,
    }
    for name, store in stores.items():
        settings[name] |= {"mongo_url" if name == "product" else "postgres_url": store}
    return {
        "customer": customers(CustomerSettings.model_validate(settings["customer"])),
        "product": products(ProductSettings.model_validate(settings["product"])),
        "order": orders(OrderSettings.model_validate(settings["order"])),
        "notifier": notifications(NotifierSettings.model_validate(settings["notifier"])),
    }


@cache
def unstarted(cors_origins: str = "") -> Mapping[str, FastAPI]:
    """Service → its app, without a database."""
    nowhere = "postgresql://nobody:none@127.0.0.1:9/none"
    stores = dict.fromkeys(SERVICES, nowhere) | {"product": "mongodb://127.0.0.1:9/none"}
    with TemporaryDirectory() as home:
        return build(dict.fromkeys(SERVICES, "http://127.0.0.1:9"), stores, Path(home), cors_origins)


def described() -> Mapping[str, dict[str, Any]]:
    """Service → its OpenAPI document."""
    return {service: app.openapi() for service, app in unstarted().items()}


def routes(service: str) -> set[str]:
    """The documented routes of a service: ``GET /v1/orders``."""
    paths = described()[service]["paths"]
    return {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
