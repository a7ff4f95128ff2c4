"""What the pages look like: ``python -m tests.screens`` writes ``docs/screens/`` and ``docs/pages.md``.

Each page is served as it is, without a store, and looked at with ``chromium``, as wide as a desk and a phone have it.
"""

import json
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from urllib.parse import urljoin

import httpx
import uvicorn
from pydantic import SecretStr
from starlette.types import ASGIApp

from chassis.http.examples import operations
from chassis.link_tokens import link_token
from chassis.testing import LINK_KEY
from deploy.local.ports import free_port
from deploy.local.sink.envelope import trace
from deploy.local.sink.page import make_app
from deploy.local.sink.store import Store
from notifier_svc.rendering.domain import Template
from notifier_svc.rendering.links import Links
from notifier_svc.rendering.mime import MimeRenderer
from tests.contracts.apps import described, unstarted
from tests.notifier_svc.samples import NOW, customer, mail
from tests.pictures import CHROMIUM, DOCS, SHEET, draw, remember

DESK, PHONE = 1000, 390
PATIENCE = "--virtual-time-budget=10000"
"""With less, it waits for ever where a page fetches something late."""
MESSAGES: Sequence[tuple[Template, str]] = (
    *(("welcome", "en"), ("receipt", "en"), ("shipped", "de"), ("password_reset", "de")),
)


@dataclass(frozen=True)
class View:
    """A page at one width, in a language."""

    address: str
    width: int
    height: int
    language: str = "en"
    top: int = 0
    """How much of it is left out, where the browser has scrolled past that."""


def main() -> None:
    """Write everything anew."""
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder)) as urls:
        for name, views in pages(urls).items():
            picture(name, views, Path(folder))
        remember("screens", behind(urls))
    (DOCS / "pages.md").write_text(PAGE, encoding="utf-8")


@contextmanager
def opened(home: Path) -> Iterator[Mapping[str, str]]:
    """All that has pages, with some mail: name → URL."""
    keep_mail(home / "mail")
    apps = {"order": unstarted()["order"], "customer": unstarted()["customer"]}
    with served({**apps, "mail": make_app(Store(home / "mail"))}) as urls:
        yield urls


def behind(urls: Mapping[str, str]) -> Mapping[str, str]:
    """Name of a picture → all that a browser gets for it."""
    document = described()["order"]
    # A page of the API has the whole document, of which the pictures show this.
    fetched = {
        "api": [f"{route} {operation['summary']}" for route, operation in operations(document)],
        "api-route": [json.dumps([document["paths"]["/v1/orders"]["post"][part] for part in IN_PICTURE])],
    }
    with httpx.Client() as client:
        return {
            name: "\n".join(
                [*fetched.get(name, ()), *(_fetched(client, view) for view in views if view.width == PHONE)]
            )
            for name, views in pages(urls).items()
        }


def _fetched(client: httpx.Client, view: View) -> str:
    page = client.get(view.address, headers={"Accept-Language": view.language}).text
    parts = re.findall(r'<(?:link|script|iframe)[^>]* (?:href|src)="([^"]+)"', page)
    return "\n".join([page, *(client.get(urljoin(view.address, part)).text for part in parts)])


def pages(urls: Mapping[str, str]) -> Mapping[str, Sequence[View]]:
    """Name of a picture → what is in it."""
    token = link_token(SecretStr(LINK_KEY), "verify", mail("welcome").id)
    place = f"{urls['order']}/docs#/orders/place_v1_orders_post"
    # Of one recipient: the page of all would load itself again for as long as the browser waits.
    mailbox = f"{urls['mail']}/?to=ada@example.com"
    receipt = f"{urls['mail']}/messages/{1:020d}"
    links = {
        name: [
            View(f"{urls['customer']}/{name}#{token}", *size, language) for language in ("en", "de") for size in SIZES
        ]
        for name in ("verify-email", "reset-password")
    }
    return {
        "api": [View(f"{urls['order']}/docs", DESK, 1300), View(f"{urls['order']}/docs", PHONE, 1300)],
        "api-route": [View(place, DESK, 1600, top=325), View(place, PHONE, 1640, top=365)],
        "mailbox": [View(mailbox, DESK, 400), View(mailbox, PHONE, 480)],
        "mail": [View(receipt, DESK, 1300), View(receipt, PHONE, 1300)],
        **links,
    }


SIZES = ((700, 400), (PHONE, 400))
IN_PICTURE = ("summary", "description", "parameters", "requestBody")
"""What is seen of a route before the picture ends."""


def keep_mail(directory: Path) -> None:
    """What came at a made-up time, as the sink keeps it."""
    renderer = MimeRenderer("shop@example.com", Links("https://shop.example", SecretStr(LINK_KEY)))
    directory.mkdir()
    for number, (template, language) in enumerate(MESSAGES):
        written = renderer.render(mail(template).content, customer(language, "Ada Lovelace"), NOW)
        stored = trace("shop@example.com", ["ada@example.com"], NOW + timedelta(minutes=number)) + written
        (directory / f"{number:020d}.eml").write_bytes(stored)


@contextmanager
def served(apps: Mapping[str, ASGIApp]) -> Iterator[Mapping[str, str]]:
    """Apps listening on this machine: name → URL."""
    ports = {name: free_port() for name in apps}
    servers = [
        uvicorn.Server(uvicorn.Config(app, port=ports[name], lifespan="off", log_config=None, access_log=False))
        for name, app in apps.items()
    ]
    threads = [threading.Thread(target=server.run) for server in servers]
    for thread in threads:
        thread.start()
    while not all(server.started for server in servers):
        time.sleep(0.05)
    try:
        yield {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    finally:
        for server, thread in zip(servers, threads, strict=True):
            server.should_exit = True
            thread.join()


def picture(name: str, views: Sequence[View], home: Path) -> None:
    """Take the views, and draw them side by side, a row for each language."""
    rows, width = "", 0
    for language, row in groupby(views, key=lambda view: view.language):
        seen = list(row)
        shown = [_shown(view, home / f"{name}-{language}-{view.width}.png") for view in seen]
        rows += f"<div>{''.join(shown)}</div>"
        width = max(width, sum(view.width + 16 for view in seen) + 20)
    draw(SHEET.format(rows=rows, width=width), DOCS / "screens" / f"{name}.png")


def _shown(view: View, shot: Path) -> str:
    return (
        f'<img src="{take(view, shot).as_uri()}" width="{view.width}" height="{view.height - view.top}"'
        ' style="border: 2px solid #b8c4cb; object-fit: cover; object-position: bottom">'
    )


def take(view: View, to: Path) -> Path:
    """Have a browser open a page, and keep what it shows."""
    told = [f"--window-size={view.width},{view.height}", f"--accept-lang={view.language}", PATIENCE]
    command = [*CHROMIUM, *told, f"--screenshot={to}", view.address]
    subprocess.run(command, capture_output=True, check=True, timeout=60)
    return to


PAGE = """# The pages

Written by `python -m tests.screens`. Each picture shows the same on a desk and on a phone.

## The API of a service

`/docs` of every REST front, here of order_svc: Swagger UI, from the service itself, so it needs no internet and tells
nobody that it is read ([why](decisions/0074-the-api-page-comes-from-the-service.md)). Every route is there with its
errors, its headers, and an example of all that is sent.

![All routes](screens/api.png)

![One route](screens/api-route.png)

## The mail sink

`make run` keeps the mails that it sends, and shows them. A mail's own HTML is in a frame that runs no scripts and
loads nothing.

![The mailbox](screens/mailbox.png)

![A mail](screens/mail.png)

## Behind the links of mails

Two pages of customer_svc, for shops that have no site of their own. They speak the language that the browser asks
for: English, or German.

![Confirm an address](screens/verify-email.png)

![Set a new password](screens/reset-password.png)
"""

if __name__ == "__main__":
    main()
