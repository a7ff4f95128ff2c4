"""The pages on which customers verify or change an e-mail address, revert that, or reset a password.

A shop with a site of its own replaces them: it sets notifier_svc's ``SHOP_URL``. The token follows the ``#`` of the
link. Browsers do not send that part, so a script posts it to the API, and the page is the same for everybody. Nothing
happens before a click: mail scanners open links before people do, and would use them up.
"""

from functools import cache
from pathlib import Path

from babel import Locale, negotiate_locale
from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from chassis.http.routing import new_router
from chassis.http.safe_headers import cacheable
from customer_svc.pages.texts import TEXTS

HERE = Path(__file__).parent
HEADERS = {
    # Scripts and forms of other sites must not get what is typed here, and frames must not cover it.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept-Language",
}
FILE_SECONDS = 300
"""For which browsers may keep the script and the style sheet."""

router = new_router()


@router.get("/verify-email", include_in_schema=False)
async def verify_email_page(request: Request) -> Response:
    """The page to verify an e-mail address."""
    return _page("verify-email", request)


@router.get("/reset-password", include_in_schema=False)
async def reset_password_page(request: Request) -> Response:
    """The page to reset a password."""
    return _page("reset-password", request)


@router.get("/change-email", include_in_schema=False)
async def change_email_page(request: Request) -> Response:
    """The page to confirm another e-mail address."""
    return _page("change-email", request)


@router.get("/revert-email-change", include_in_schema=False)
async def revert_email_change_page(request: Request) -> Response:
    """The page to take an account back from the old e-mail address."""
    return _page("revert-email-change", request)


@router.get("/pages/link.js", include_in_schema=False)
@cacheable(FILE_SECONDS)
async def script() -> Response:
    """The script of these pages."""
    return Response(_file("link.js"), headers=HEADERS, media_type="text/javascript")


@router.get("/pages/link.css", include_in_schema=False)
@cacheable(FILE_SECONDS)
async def style() -> Response:
    """The style sheet of these pages."""
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
    """The first language in ``Accept-Language`` (RFC 9110 §12.5.4) that there are texts for, or English."""
    tags = [part.partition(";")[0].strip().replace("-", "_") for part in accepted.split(",")[:20]]
    found = negotiate_locale([tag for tag in tags if tag.replace("_", "").isalnum()], list(TEXTS))
    return Locale.parse(found).language if found else "en"
