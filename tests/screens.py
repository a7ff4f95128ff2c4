"""Pictures of the pages: ``python -m tests.screens`` writes ``docs/screens/`` and ``docs/pages.md``.

Each page is served without a database, and rendered by ``chromium`` with the width of a desktop and of a phone.
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
from chassis.link_tokens import link_token, unsubscribe_token
from chassis.testing import LINK_KEY
from deploy.local.ports import free_port
from deploy.local.sink.envelope import trace
from deploy.local.sink.page import make_app
from deploy.local.sink.store import Store
from notifier_svc.rendering.domain import Template
from notifier_svc.rendering.links import Links
from notifier_svc.rendering.mime import MimeRenderer
from tests.contracts.apps import described, unstarted
from tests.notifier_svc.samples import CUSTOMER, NOW, customer, mail
from tests.pictures import CHROMIUM, DOCS, SHEET, draw, remember

DESKTOP, PHONE = 1000, 390
TIME_BUDGET = "--virtual-time-budget=10000"
"""With less, it hangs if a page fetches something late."""
MESSAGES: Sequence[tuple[Template, str]] = (
    *(("welcome", "en"), ("receipt", "en"), ("shipped", "de"), ("password_reset", "de")),
)


@dataclass(frozen=True)
class View:
    """A page with one width and language."""

    address: str
    width: int
    height: int
    language: str = "en"
    top: int = 0
    """The height at the top that is left out, because the browser has scrolled."""


def main() -> None:
    """Generate everything."""
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder)) as urls:
        for name, views in pages(urls).items():
            picture(name, views, Path(folder))
        remember("screens", behind(urls))
    (DOCS / "pages.md").write_text(PAGE, encoding="utf-8")


@contextmanager
def opened(home: Path) -> Iterator[Mapping[str, str]]:
    """Serve everything that has pages, and some mail: name → URL."""
    keep_mail(home / "mail")
    apps = {"order": unstarted()["order"], "customer": unstarted()["customer"]}
    with served({**apps, "mail": make_app(Store(home / "mail"))}) as urls:
        yield urls


def behind(urls: Mapping[str, str]) -> Mapping[str, str]:
    """Name of a picture → everything that a browser loads for it."""
    document = described()["order"]
    # The API page loads the whole document, but the pictures only show this.
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
    """Name of a picture → its views."""
    token = link_token(SecretStr(LINK_KEY), "verify", mail("welcome").id)
    place = f"{urls['order']}/docs#/orders/place_order"
    # With one recipient: the page of all mail reloads itself as long as the browser waits.
    mailbox = f"{urls['mail']}/?to=ada@example.com"
    receipt = f"{urls['mail']}/messages/{1:020d}"
    links = {
        name: [
            View(f"{urls['customer']}/{name}#{token}", *size, language) for language in ("en", "de") for size in SIZES
        ]
        for name in ("verify-email", "reset-password", "forgot-password", "change-email", "revert-email-change")
    }
    forever = unsubscribe_token(SecretStr(LINK_KEY), CUSTOMER)
    unsubscribe = f"{urls['customer']}/unsubscribe?token={forever}"
    links["unsubscribe"] = [View(unsubscribe, *size, language) for language in ("en", "de") for size in SIZES]
    return {
        "api": [View(f"{urls['order']}/docs", DESKTOP, 1300), View(f"{urls['order']}/docs", PHONE, 1300)],
        "api-route": [View(place, DESKTOP, 1795, top=520), View(place, PHONE, 1945, top=670)],
        "mailbox": [View(mailbox, DESKTOP, 400), View(mailbox, PHONE, 480)],
        "mail": [View(receipt, DESKTOP, 1300), View(receipt, PHONE, 1300)],
        **links,
    }


SIZES = ((700, 400), (PHONE, 400))
IN_PICTURE = ("summary", "description", "parameters", "requestBody")
"""The parts of a route that the picture shows."""


def keep_mail(directory: Path) -> None:
    """Write the sample mails as the sink stores them, with a fixed time."""
    renderer = MimeRenderer("shop@example.com", Links("https://shop.example", SecretStr(LINK_KEY)))
    directory.mkdir()
    for number, (template, language) in enumerate(MESSAGES):
        written = renderer.render(mail(template).content, customer(language, "Ada Lovelace"), NOW)
        stored = trace("shop@example.com", ["ada@example.com"], NOW + timedelta(minutes=number)) + written
        (directory / f"{number:020d}.eml").write_bytes(stored)


@contextmanager
def served(apps: Mapping[str, ASGIApp]) -> Iterator[Mapping[str, str]]:
    """Serve apps on this machine: name → URL."""
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
    """Render the views side by side, with a row for each language."""
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
    """Have a browser take a screenshot of a page."""
    options = [f"--window-size={view.width},{view.height}", f"--accept-lang={view.language}", TIME_BUDGET]
    command = [*CHROMIUM, *options, f"--screenshot={to}", view.address]
    subprocess.run(command, capture_output=True, check=True, timeout=60)
    return to


PAGE = """# The pages

Generated by `python -m tests.screens`. Each picture shows the same page on a desktop and on a phone.

## The API of a service

`/docs` of every service, here of order_svc: Swagger UI, served by the service itself, so that it works offline and no
third party learns who reads it ([why](decisions/0038-serve-the-api-page.md)). Every route has its
errors, its headers, and an example of each body.

![All routes](screens/api.png)

![One route](screens/api-route.png)

## The mail sink

`make run` stores and shows the mails that the platform sends. The HTML of a mail is in a frame that runs no scripts
and loads nothing.

![The mailbox](screens/mailbox.png)

![A mail](screens/mail.png)

## The pages behind links in mails

Pages of customer_svc, for shops without a site of their own. Their language is the one that the browser prefers:
English or German. `/` leads to those that need no link.

![Confirm an address](screens/verify-email.png)

![Set a new password](screens/reset-password.png)

![Confirm another e-mail address](screens/change-email.png)

![Take an account back](screens/revert-email-change.png)

![Request a link](screens/forgot-password.png)

![Unsubscribe](screens/unsubscribe.png)
"""

if __name__ == "__main__":
    main()
