"""The pages that links in mails lead to: for addresses and passwords, to see an order, to unsubscribe.

A shop with a site of its own replaces them: it sets notifier_svc's ``SHOP_URL``. A token that opens an account is
behind the ``#`` of the link. Browsers do not send that part, so a script posts it to the API; all get the same page.
Nothing happens before a click: mail scanners open links before people do, and would use them up.
"""

from functools import cache
from pathlib import Path
from typing import Annotated

from babel import Locale, negotiate_locale
from fastapi import Query, Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from chassis.http.introduction import public_url
from chassis.http.routing import new_router
from chassis.http.safe_headers import cacheable
from customer_svc.container import Commit, LinkKey
from customer_svc.pages.texts import ORDER_STATES, TEXTS
from customer_svc.profiles.commands import unsubscribe

HERE = Path(__file__).parent
HEADERS = {
    # Scripts and forms of other sites must not get what is typed here, and frames must not cover it.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept-Language",
}
FILE_SECONDS = 300
"""For which browsers may keep the scripts and the style sheet."""

router = new_router()

UnsubscribeToken = Annotated[str, Query(max_length=200)]


@router.get("/", include_in_schema=False)
async def home_page(request: Request) -> Response:
    """What there is here, for people who shorten the address of another page."""
    return _page("home.html", "home", request)


@router.get("/verify-email", include_in_schema=False)
async def verify_email_page(request: Request) -> Response:
    """The page to verify an e-mail address."""
    return _page("link.html", "verify-email", request)


@router.get("/reset-password", include_in_schema=False)
async def reset_password_page(request: Request) -> Response:
    """The page to reset a password."""
    return _page("link.html", "reset-password", request)


@router.get("/forgot-password", include_in_schema=False)
async def forgot_password_page(request: Request) -> Response:
    """The page to request a mail with a link to reset the password."""
    return _page("link.html", "forgot-password", request)


@router.get("/unsubscribe", include_in_schema=False)
async def unsubscribe_page(request: Request) -> Response:
    """The page to unsubscribe, for people; its script has the token from the URL."""
    return _page("link.html", "unsubscribe", request)


@router.post("/unsubscribe", include_in_schema=False)
async def unsubscribe_with_one_click(token: UnsubscribeToken, commit: Commit, key: LinkKey) -> Response:
    """Mail programs post here when their button is clicked (RFC 8058); the form that they send says nothing more."""
    await unsubscribe(commit, key, token)
    return Response(status_code=204)


@router.get("/order", include_in_schema=False)
async def order_page(request: Request) -> Response:
    """The page that shows an order to its customer."""
    orders = public_url("order_svc", request.app.state.container.settings.public_urls)
    response = _page("order.html", "order", request, orders)
    # With the slash, it allows whatever begins with this URL; without, a URL that has a path allows only itself.
    policy = HEADERS["Content-Security-Policy"].replace("connect-src 'self'", f"connect-src 'self' {orders}/")
    response.headers["Content-Security-Policy"] = policy
    return response


@router.get("/change-email", include_in_schema=False)
async def change_email_page(request: Request) -> Response:
    """The page to confirm another e-mail address."""
    return _page("link.html", "change-email", request)


@router.get("/revert-email-change", include_in_schema=False)
async def revert_email_change_page(request: Request) -> Response:
    """The page to take an account back from the old e-mail address."""
    return _page("link.html", "revert-email-change", request)


@router.get("/pages/link.js", include_in_schema=False)
@cacheable(FILE_SECONDS)
async def link_script() -> Response:
    """The script of the pages with a form."""
    return Response(_file("link.js"), headers=HEADERS, media_type="text/javascript")


@router.get("/pages/order.js", include_in_schema=False)
@cacheable(FILE_SECONDS)
async def order_script() -> Response:
    """The script of the page of an order."""
    return Response(_file("order.js"), headers=HEADERS, media_type="text/javascript")


@router.get("/pages/link.css", include_in_schema=False)
@cacheable(FILE_SECONDS)
async def style() -> Response:
    """The style sheet of all pages."""
    return Response(_file("link.css"), headers=HEADERS, media_type="text/css")


@cache
def _file(name: str) -> bytes:
    return (HERE / name).read_bytes()


def _page(template: str, name: str, request: Request, orders: str = "") -> Response:
    language = _language(request.headers.get("accept-language", ""))
    return HTMLResponse(_html(template, name, language, orders), headers=HEADERS)


@cache
def _html(template: str, name: str, language: str, orders: str) -> str:
    templates = Environment(loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined)
    values = {"page": name, "language": language, "t": TEXTS[language], "orders": orders, "states": ORDER_STATES}
    return templates.get_template(template).render(values)


def _language(accepted: str) -> str:
    """The first language in ``Accept-Language`` (RFC 9110 §12.5.4) that there are texts for, or English."""
    tags = [part.partition(";")[0].strip().replace("-", "_") for part in accepted.split(",")[:20]]
    found = negotiate_locale([tag for tag in tags if tag.replace("_", "").isalnum()], list(TEXTS))
    return Locale.parse(found).language if found else "en"
