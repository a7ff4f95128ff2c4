"""The page of a service's API, as a browser gets it: everything of it from the service itself."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from chassis.http.api_page import FILES
from tests.contracts.apps import SERVICES, unstarted
from tests.pictures import DOCS, outdated
from tests.screens import PAGE, behind, opened, pages

API = httpx.AsyncClient
LINKS = re.compile(r'(?:src|href)="([^"]+)"')
every_service = pytest.mark.parametrize("service", SERVICES)


@pytest.fixture
async def api(service: str) -> AsyncIterator[API]:
    transport = httpx.ASGITransport(unstarted()[service])
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


@every_service
async def test_whatever_the_page_loads_is_there(api: API) -> None:
    page = await api.get("/docs")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    loaded = LINKS.findall(page.text)
    assert {f"docs/{name}" for name in FILES} | {"openapi.json"} == set(loaded)
    for path in loaded:
        response = await api.get(f"/{path}")
        assert response.status_code == 200, path
        kind = FILES[path.removeprefix("docs/")][0] if path.startswith("docs/") else "application/json"
        assert response.headers["content-type"].partition(";")[0] == kind


@every_service
async def test_no_other_host_is_named_and_the_policy_would_block_one(api: API) -> None:
    for path in ("/docs", "/docs/page.js", "/docs/page.css"):
        assert "//" not in re.sub(r"^\s*//.*", "", (await api.get(path)).text, flags=re.MULTILINE), path
    for path in ("/docs", *(f"/docs/{name}" for name in FILES)):
        response = await api.get(path)
        policy = response.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; ")
        assert "frame-ancestors 'none'" in policy
        assert not re.search(r"unsafe|\*|:/|\.", policy)
        assert response.headers["referrer-policy"] == "no-referrer"
        assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("service", ["order"])
async def test_nothing_of_the_page_is_inline(api: API) -> None:
    page = (await api.get("/docs")).text
    assert "<title>Shopstream orders</title>" in page
    assert not re.search(r"<style|<script(?! src)|\son\w+=|\sstyle=", page)


@pytest.mark.parametrize("service", ["order"])
async def test_the_style_sheet_loads_nothing(api: API) -> None:
    style = (await api.get("/docs/swagger-ui.css")).text
    assert "@import" not in style
    assert [url for url in re.findall(r"url\(\s*[\"']?([^\"')]{0,20})", style) if not url.startswith("data:")] == []


@pytest.mark.parametrize("service", ["order"])
async def test_the_script_asks_no_validator_and_finds_the_document_beside_the_page(api: API) -> None:
    script = (await api.get("/docs/page.js")).text
    assert "validatorUrl: null" in script
    assert 'url: "openapi.json"' in script
    assert (await api.get("/openapi.json")).json()["info"]["title"] == "Shopstream orders"


@pytest.mark.parametrize("service", ["order"])
async def test_there_is_no_page_that_would_come_from_elsewhere(api: API) -> None:
    for path in ("/redoc", "/docs/oauth2-redirect", "/docs/page.html", "/docs/../page.html"):
        assert (await api.get(path)).status_code == 404


def test_the_page_about_the_pages_shows_each_of_them() -> None:
    assert (DOCS / "pages.md").read_text(encoding="utf-8") == PAGE, "run `python -m tests.screens`"
    shown = re.findall(r"\(screens/(.+)\.png\)", PAGE)
    urls = dict.fromkeys(("order", "customer", "mail"), "http://127.0.0.1")
    assert set(shown) == pages(urls).keys() == {picture.stem for picture in (DOCS / "screens").glob("*.png")}


def test_the_pictures_of_pages_are_current(tmp_path: Path) -> None:
    with opened(tmp_path) as urls:
        now = behind(urls)
    assert outdated("screens", now) == [], "run `python -m tests.screens`, and look at them"
