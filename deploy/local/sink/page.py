"""The web interface: pages and a JSON API for the stored messages.

A message is untrusted. All of it is escaped; its HTML is shown in a frame that may not run scripts, load anything or
navigate; the pages themselves use no script at all.
"""

from collections.abc import Awaitable, Callable, Mapping
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from fastapi.templating import Jinja2Templates
from starlette.middleware.trustedhost import TrustedHostMiddleware

from deploy.local.sink.content import content_of
from deploy.local.sink.store import Entry, Store

PAGE_SIZE = 200
PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; form-action 'self'; frame-ancestors 'none'"
)
LIST_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
MESSAGE_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"

templates = Jinja2Templates(Path(__file__).parent / "templates")


def make_app(store: Store) -> FastAPI:
    """Build the web application over a store."""
    app = FastAPI(title="Shopstream mail sink", docs_url=None, redoc_url=None)
    # Against DNS rebinding: a foreign site that points its own name to 127.0.0.1 must not read the mail.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
    app.middleware("http")(_add_security_headers)
    _add_api(app, store)
    _add_pages(app, store)
    return app


async def _add_security_headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    response.headers.setdefault("Content-Security-Policy", PAGE_POLICY)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _add_api(app: FastAPI, store: Store) -> None:
    @app.get("/health/ready")
    async def ready() -> dict[str, str]:
        """Report that the sink runs."""
        return {"status": "ok"}

    @app.get("/api/messages")
    async def messages(to: str = "", after: str = "", limit: int = 1000) -> list[dict[str, Any]]:
        """List messages, oldest first: to this recipient, received after that id."""
        return [_listed(entry) for entry in islice(store.find(to, after), max(0, limit))]

    @app.get("/api/messages/{message}")
    async def message(message: str) -> dict[str, Any]:
        """Return one message; the values of a header that occurs several times are joined by line breaks."""
        entry = _entry(store, message)
        content = content_of(store.raw(message))
        headers: dict[str, str] = {}
        for name, value in content.headers:
            headers[name] = f"{headers[name]}\n{value}" if name in headers else value
        parts = {"text": content.text, "html": content.html, "attachments": content.attachments}
        return _listed(entry) | {"headers": headers} | parts

    @app.get("/api/v1/search")
    async def search(query: Annotated[str, Query(pattern="^to:.+")]) -> dict[str, Any]:
        """List messages to a recipient (``to:ada@example.com``), newest first, in the format of Mailpit."""
        found = [_listed(entry) for entry in store.find(query.removeprefix("to:"))]
        return {"messages": [_as_mailpit(one) for one in reversed(found)]}

    @app.get("/api/v1/message/{message}")
    async def read(message: str) -> dict[str, Any]:
        """Return one message, in the format of Mailpit."""
        listed, content = _listed(_entry(store, message)), content_of(store.raw(message))
        return _as_mailpit(listed) | {"Text": content.text, "HTML": content.html}

    @app.get("/api/messages/{message}/raw")
    async def raw(message: str) -> Response:
        """Return the bytes as they arrived by SMTP."""
        _entry(store, message)
        return PlainTextResponse(store.raw(message))


def _add_pages(app: FastAPI, store: Store) -> None:
    @app.get("/")
    async def index(request: Request, to: str = "") -> Response:
        """Ask whose mail to list. The list is in a frame: when that reloads itself, what is typed here stays."""
        return templates.TemplateResponse(request, "index.html", {"to": to})

    @app.get("/list")
    async def list_messages(request: Request, to: str = "") -> Response:
        """List the newest messages to addresses that contain a text, or to all."""
        found = list(store.search(to))
        newest = [_listed(entry) for entry in reversed(found[-PAGE_SIZE:])]
        values = {"messages": newest, "to": to, "total": len(found)}
        headers = {"Content-Security-Policy": LIST_POLICY}
        return templates.TemplateResponse(request, "list.html", values, headers=headers)

    @app.get("/messages/{message}")
    async def show(request: Request, message: str) -> Response:
        """Show a message: HTML, text, headers."""
        entry = _entry(store, message)
        values = {"message": _listed(entry), "content": content_of(store.raw(message))}
        return templates.TemplateResponse(request, "message.html", values)

    @app.get("/messages/{message}/html")
    async def html(message: str) -> Response:
        """Return the message's own HTML, with a policy that makes it harmless."""
        _entry(store, message)
        body = content_of(store.raw(message)).html
        return HTMLResponse(body, headers={"Content-Security-Policy": MESSAGE_POLICY})


def _entry(store: Store, message: str) -> Entry:
    entry = store.get(message)
    if entry is None:
        raise HTTPException(404, "no such message")
    return entry


def _as_mailpit(listed: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that clients of both read: https://mailpit.axllent.org/docs/api-v1/."""
    to = [{"Name": "", "Address": address} for address in listed["to"]]
    named = {"ID": listed["id"], "Subject": listed["subject"], "Created": listed["received_at"]}
    return named | {"From": {"Name": "", "Address": listed["from"]}, "To": to}


def _listed(entry: Entry) -> dict[str, Any]:
    summary = entry.summary
    return {
        "id": summary.id,
        "message_id": summary.message_id,
        "to": list(summary.recipients),
        "from": summary.sender,
        "subject": summary.subject,
        "received_at": summary.received_at,
        "copies": entry.copies,
    }
