"""The two pages that links in mails lead to: an address is confirmed there, or a forgotten password set.

They are for shops that have no site of their own yet; such a shop names its own in notifier_svc's ``SHOP_URL``. The
token stands behind the ``#``, which browsers keep to themselves, so a script takes it to the API; the page does not
know it, and is the same for everybody. Nothing happens before a click: programs that look into links before people do
would use them up.
"""

from functools import cache
from pathlib import Path

from babel import Locale, negotiate_locale
from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from chassis.http.routing import new_router
from customer_svc.pages.texts import TEXTS

HERE = Path(__file__).parent
HEADERS = {
    # Neither another site's script nor a form may see what is typed here, nor a frame lay itself over it.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "max-age=300",
    "Vary": "Accept-Language",
}

router = new_router()


@router.get("/verify-email", include_in_schema=False)
async def verify_email(request: Request) -> Response:
    """Where one confirms an address."""
    return _page("verify-email", request)


@router.get("/reset-password", include_in_schema=False)
async def reset_password(request: Request) -> Response:
    """Where one sets a forgotten password."""
    return _page("reset-password", request)


@router.get("/pages/link.js", include_in_schema=False)
async def script() -> Response:
    """What the pages do."""
    return Response(_file("link.js"), headers=HEADERS, media_type="text/javascript")


@router.get("/pages/link.css", include_in_schema=False)
async def style() -> Response:
    """What the pages look like."""
    return Response(_file("link.css"), headers=HEADERS, media_type="text/css")


@cache
def _file(name: str) -> bytes:
    return (HERE / name).read_bytes()


def _page(name: str, request: Request) -> Response:
    return HTMLResponse(_html(name, _language(request.headers.get("accept-language", ""))), headers=HEADERS)


@cache
def _html(name: str, language: str) -> str:
    templates = Environment(loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined)
    return templates.get_template("link.html").render(page=name, language=language, t=TEXTS[language])


def _language(accepted: str) -> str:
    """The first language that the browser asks for (RFC 9110 §12.5.4) and we have; English otherwise."""
    asked = [part.partition(";")[0].strip().replace("-", "_") for part in accepted.split(",")[:20]]
    found = negotiate_locale([tag for tag in asked if tag.replace("_", "").isalnum()], list(TEXTS))
    return Locale.parse(found).language if found else "en"
