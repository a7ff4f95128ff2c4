"""The REST APIs of all services in this process, each on a port."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from chassis.testing import LINK_KEY, accept_test_tokens, private_key
from customer_svc import main as customer_main
from customer_svc.settings import Settings as CustomerSettings
from notifier_svc import main as notifier_main
from notifier_svc.settings import RestSettings as NotifierSettings
from order_svc import main as order_main
from order_svc.settings import RestSettings as OrderSettings
from product_svc import main as product_main
from product_svc.settings import RestSettings as ProductSettings


def rest_apps(kafka: str, urls: Mapping[str, str], mongo_url: str, home: Path) -> dict[str, FastAPI]:
    """The apps of all services, by name; ``urls`` are those of their PostgreSQL databases."""
    key = home / "jwt.pem"
    key.write_bytes(private_key())
    common: dict[str, Any] = {"kafka_bootstrap_servers": kafka, "jwks_url": "http://127.0.0.1:9/"}
    accounts = common | {"postgres_url": urls["customer_svc"], "jwt_private_key_file": key, "link_key": LINK_KEY}
    accounts |= {"order_url": "http://127.0.0.1:9", "notifier_url": "http://127.0.0.1:9"}
    orders = common | {"postgres_url": urls["order_svc"], "product_url": "http://127.0.0.1:9"}
    mails = common | {"postgres_url": urls["notifier_svc"]}
    return {
        "customer": customer_main.build(CustomerSettings.model_validate(accounts)),
        "product": product_main.build(ProductSettings.model_validate(common | {"mongo_url": mongo_url})),
        "order": order_main.build(OrderSettings.model_validate(orders)),
        "notifier": notifier_main.build(NotifierSettings.model_validate(mails)),
    }


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[str]:
    """Serve a REST API that accepts the tokens of this test run; yields its URL."""
    server = _Server(uvicorn.Config(app, port=0, log_config=None, access_log=False))
    running = asyncio.create_task(server.serve())
    while not server.started:
        assert not running.done(), "the server did not start"
        await asyncio.sleep(0.01)
    accept_test_tokens(app)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await running
