"""The pages to verify an e-mail address and to reset a password, as a browser gets them."""

import re
from html import escape
from typing import get_args

import httpx
import pytest
from pydantic_core import Url

from chassis.http.introduction import public_url
from customer_svc.errors import TooManyAttempts, TotpEnrolmentRequired
from customer_svc.pages.texts import ORDER_STATES, TEXTS
from customer_svc.sessions.commands import OpenSession
from notifier_svc.rendering.links import FORGOTTEN, ORDER, PAGES, UNSUBSCRIBE
from order_svc.orders.domain import State

API = httpx.AsyncClient


@pytest.mark.parametrize("path", [*sorted(PAGES.values()), FORGOTTEN, UNSUBSCRIBE, ORDER])
async def test_every_link_of_a_mail_leads_to_a_page(api: API, path: str) -> None:
    response = await api.get(f"/{path}")
    assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert TEXTS["en"][path] in response.text


@pytest.mark.parametrize(
    "path", ["/", "/verify-email", "/order", "/pages/link.js", "/pages/order.js", "/pages/link.css"]
)
async def test_the_content_security_policy_allows_nothing_of_other_sites(api: API, path: str) -> None:
    response = await api.get(path)
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert response.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("page", ["", "reset-password", "forgot-password", "unsubscribe", "order"])
async def test_everything_that_a_page_loads_or_links_to_exists_and_nothing_is_inline(api: API, page: str) -> None:
    html = (await api.get(f"/{page}")).text
    loaded = re.findall(r'(?:src|href)="([^"]+)"', html)
    assert "pages/link.css" in loaded
    for path in loaded:
        assert (await api.get(f"/{path}")).status_code == 200
    assert not re.search(r"<style|<script(?! src)|\son\w+=|\sstyle=", html)


async def test_the_script_posts_to_routes_of_the_api(api: API) -> None:
    script = (await api.get("/pages/link.js")).text
    routes = re.findall(r'"(v1/[^"]+)"', script)
    document = (await api.get("/openapi.json")).json()
    assert len(routes) == len(PAGES) + 2
    assert {f"/{route}" for route in routes} <= set(document["paths"])


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("fr,en;q=0.5", "en"),
        ("fr", "en"),
        ("", "en"),
        ("*", "en"),
        ("_;=,\x7f,--", "en"),
        ("x" * 5000, "en"),
    ],
    ids=["german", "second choice", "neither", "none", "any", "rubbish", "long"],
)
async def test_a_page_is_in_the_first_accepted_language_that_has_texts(
    api: API, accepted: str, language: str
) -> None:
    response = await api.get("/verify-email", headers={"Accept-Language": accepted})
    assert response.status_code == 200
    assert f'<html lang="{language}">' in response.text


async def test_the_page_of_an_order_reads_it_from_order_svc_and_from_nowhere_else(api: API) -> None:
    response = await api.get("/order")
    policy = response.headers["content-security-policy"]
    assert "connect-src 'self' http://127.0.0.1:8003/;" in policy
    assert 'data-orders="http://127.0.0.1:8003"' in response.text
    script = (await api.get("/pages/order.js")).text
    routes = re.findall(r'"(v1/[^"]+)"', script)
    document = (await api.get("/openapi.json")).json()
    assert {f"/{route}" for route in routes} <= set(document["paths"])
    assert "localStorage" not in script


async def test_the_page_of_an_order_has_a_text_for_each_refusal_of_a_log_in(api: API) -> None:
    page, script = (await api.get("/order")).text, (await api.get("/pages/order.js")).text
    refusals = dict(re.findall(r'^  (\w+): "(\w+)",$', script, re.M))
    for error in (*OpenSession.errors, TooManyAttempts):
        if error is not TotpEnrolmentRequired:  # of staff, who have no orders
            kebab = re.sub(r"([A-Z])", r"-\1", refusals[error.code]).lower()
            assert re.search(rf'data-{kebab}="[^"]+"', page), error.code


@pytest.mark.parametrize("path", [*sorted(PAGES.values()), UNSUBSCRIBE])
async def test_each_page_says_what_to_do_about_a_link_that_is_used_or_expired(api: API, path: str) -> None:
    assert escape(TEXTS["en"][f"{path}.invalid"]) in (await api.get(f"/{path}")).text


def test_the_url_of_order_svc_is_that_of_the_installation() -> None:
    public = {"order_svc": Url("https://shop.example/orders/")}
    assert public_url("order_svc", public) == "https://shop.example/orders"


def test_every_language_has_the_same_texts() -> None:
    assert len({frozenset(texts) for texts in TEXTS.values()}) == 1


def test_every_state_of_an_order_has_a_text() -> None:
    # A page shows the word of the API for one without.
    assert set(ORDER_STATES) == set(get_args(State))


async def test_the_page_of_a_contested_address_can_ask_who_its_owner_is(api: API) -> None:
    html = (await api.get("/verify-email")).text
    assert "<fieldset hidden disabled>" in html, "until the API asks for it"
    assert re.findall(r'<input name="(\w+)"', html) == ["name", "new", "again"]
    assert re.findall(r'<input name="(\w+)"', (await api.get("/reset-password")).text) == ["new", "again"]
