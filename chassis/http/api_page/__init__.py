"""The API page of a service, for people: Swagger UI, served by the service itself.

A browser loads nothing from elsewhere: the page works without the internet, and no third party learns of the visit.
The files of Swagger UI come with the package ``fastapi-swagger``, of which nothing else is used.
"""

from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from chassis.http.safe_headers import cacheable

HERE = Path(__file__).parent
SWAGGER_UI = "fastapi_swagger.resources"
FILES = {
    "page.css": ("text/css", HERE),
    "page.js": ("text/javascript", HERE),
    "swagger-ui.css": ("text/css", files(SWAGGER_UI)),
    "swagger-ui-bundle.js": ("text/javascript", files(SWAGGER_UI)),
    "favicon-32x32.png": ("image/png", files(SWAGGER_UI)),
}
"""Below ``/docs/``: the type of each, and where it is."""
HEADERS = {
    # Its style sheet has pictures in it; what it draws itself it styles through the DOM, which is no inline style.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
SECONDS = 300
"""For which browsers may keep it."""

router = APIRouter(include_in_schema=False)


@router.get("/docs")
@cacheable(SECONDS)
async def page(request: Request) -> Response:
    """The page itself; it finds the rest, and the OpenAPI document, beside it."""
    html = (HERE / "page.html").read_text(encoding="utf-8")
    return HTMLResponse(html.replace("{title}", escape(request.app.title)), headers=HEADERS)


def _serve(name: str, media_type: str, folder: Any) -> None:
    @cache
    def content() -> bytes:
        found: bytes = (folder / name).read_bytes()
        return found

    @router.get(f"/docs/{name}")
    @cacheable(SECONDS)
    async def file() -> Response:
        return Response(content(), headers=HEADERS, media_type=media_type)


for _name, (_type, _folder) in FILES.items():
    _serve(_name, _type, _folder)
