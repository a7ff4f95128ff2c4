"""The four REST fronts in this process, over HTTP: on databases of their own, and without event processes."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from chassis.testing import LINK_KEY, private_key
from customer_svc.main import build as customers
from customer_svc.settings import Settings as CustomerSettings
from deploy.local.ports import free_port
from notifier_svc.main import build as notifications
from notifier_svc.settings import RestSettings as NotifierSettings
from order_svc.main import build as orders
from order_svc.settings import RestSettings as OrderSettings
from product_svc.main import build as products
from product_svc.settings import RestSettings as ProductSettings
from tests.databases import Databases

PLENTY = 1_000_000
"""Nobody is throttled here."""


@dataclass(frozen=True)
class Fronts:
    """The apps and where they listen, by service: customer, product, order, notifier."""

    apps: Mapping[str, FastAPI]
    urls: Mapping[str, str]
    stores: Mapping[str, str]


@contextmanager
def fronts(databases: Databases, mongo: str, home: Path) -> Iterator[Fronts]:
    """Serve them, in a thread: whoever asks may block."""
    urls = {name: f"http://127.0.0.1:{free_port()}" for name in ("customer", "product", "order", "notifier")}
    stores = {name: databases.postgres(f"{name}_svc") for name in ("customer", "order", "notifier")}
    stores["product"] = mongo
    apps = _apps(urls, stores, home)
    servers = [_server(app, urls[name]) for name, app in apps.items()]
    thread = threading.Thread(target=lambda: asyncio.run(_serve(servers)))
    thread.start()
    try:
        _wait_for(urls.values())
        yield Fronts(apps, urls, stores)
    finally:
        for server in servers:
            server.should_exit = True
        thread.join()


def _apps(urls: Mapping[str, str], stores: Mapping[str, str], home: Path) -> dict[str, FastAPI]:
    key = home / "jwt.pem"
    key.write_bytes(private_key())
    every = {"kafka_bootstrap_servers": "nobody:9092"}
    others = every | {"jwks_url": f"{urls['customer']}/.well-known/jwks.json"}
    throttle = {"login_tries_per_account": PLENTY, "login_tries_per_address": PLENTY}
    told: dict[str, dict[str, Any]] = {
        "customer": every | {"jwt_private_key_file": key, "link_key": LINK_KEY} | throttle,
        "product": others,
        "order": others | {"product_url": urls["product"]},
        "notifier": others,
    }
    url = {name: {"mongo_url" if name == "product" else "postgres_url": store} for name, store in stores.items()}
    return {
        "customer": customers(CustomerSettings.model_validate(told["customer"] | url["customer"])),
        "product": products(ProductSettings.model_validate(told["product"] | url["product"])),
        "order": orders(OrderSettings.model_validate(told["order"] | url["order"])),
        "notifier": notifications(NotifierSettings.model_validate(told["notifier"] | url["notifier"])),
    }


def _server(app: FastAPI, url: str) -> uvicorn.Server:
    port = int(url.rpartition(":")[2])
    return uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, access_log=False))


async def _serve(servers: list[uvicorn.Server]) -> None:
    await asyncio.gather(*(server.serve() for server in servers))


def _wait_for(urls: Any) -> None:
    with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as client:
        for url in urls:
            client.get(f"{url}/health/live").raise_for_status()
