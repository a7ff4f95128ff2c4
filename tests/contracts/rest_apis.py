"""The four REST APIs in this process, over HTTP, on databases of their own and without event processes."""

import asyncio
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import uvicorn
from fastapi import FastAPI

from deploy.local.ports import free_port
from tests.contracts.apps import SERVICES, build
from tests.databases import Databases


@dataclass(frozen=True)
class RestApis:
    """The apps, their URLs and their databases, by service: customer, product, order, notifier."""

    apps: Mapping[str, FastAPI]
    urls: Mapping[str, str]
    stores: Mapping[str, str]


@contextmanager
def rest_apis(databases: Databases, mongo: str, home: Path) -> Iterator[RestApis]:
    """Serve them in a thread, so that a client may block."""
    urls = {name: f"http://127.0.0.1:{free_port()}" for name in SERVICES}
    stores = {name: databases.postgres(f"{name}_svc") for name in ("customer", "order", "notifier")}
    stores["product"] = mongo
    apps = build(urls, stores, home)
    servers = [_server(app, urls[name]) for name, app in apps.items()]
    thread = threading.Thread(target=lambda: asyncio.run(_serve(servers)))
    thread.start()
    try:
        _wait_for(urls.values())
        yield RestApis(apps, urls, stores)
    finally:
        for server in servers:
            server.should_exit = True
        thread.join()


def _server(app: FastAPI, url: str) -> uvicorn.Server:
    port = int(url.rpartition(":")[2])
    return uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, access_log=False))


async def _serve(servers: list[uvicorn.Server]) -> None:
    await asyncio.gather(*(server.serve() for server in servers))


def _wait_for(urls: Iterable[str]) -> None:
    with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as client:
        for url in urls:
            client.get(f"{url}/health/live").raise_for_status()
