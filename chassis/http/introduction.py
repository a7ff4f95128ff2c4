"""The introduction of an OpenAPI document: what holds for all of the API, and where the other services are."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import Url

LOCAL = {
    "customer_svc": "http://127.0.0.1:8001",
    "product_svc": "http://127.0.0.1:8002",
    "order_svc": "http://127.0.0.1:8003",
    "notifier_svc": "http://127.0.0.1:8004",
}
"""Where a local run and ``compose.yaml`` serve the REST APIs, unless other ports are chosen."""

HOW_IT_WORKS = """\
customer_svc gives out access tokens (`POST /v1/sessions`): send one as `Authorization: Bearer …`. A list is a page:
send its `next` to get the following one. An amount of money is a whole number of the minor unit (ISO 4217). An error
is a problem document (RFC 9457): decide by its `code`, which is stable.

Shopstream has one API for each service:
"""


def introduction(public_urls: Mapping[str, Url]) -> str:
    """The text (CommonMark), with links to all services; without URLs of an installation, to those of a local run."""
    urls = {name: str(url).rstrip("/") for name, url in public_urls.items()} or LOCAL
    links = [f"- [{name}]({url}/docs) ([OpenAPI document]({url}/openapi.json))" for name, url in urls.items()]
    return "\n".join([HOW_IT_WORKS, *links])


def public_url(service: str, public_urls: Mapping[str, Url]) -> str:
    """Where clients reach a service, without a slash at the end; without URLs of an installation, in a local run."""
    return str(public_urls[service]).rstrip("/") if service in public_urls else LOCAL[service]


def servers(service: str, public_urls: Mapping[str, Url]) -> Sequence[dict[str, Any]]:
    """Where requests go: to where the document comes from, and to the service's public URL if it is known."""
    public = [{"url": public_url(service, public_urls)}] if service in public_urls else []
    return [{"url": "/", "description": "where this document comes from"}, *public]
