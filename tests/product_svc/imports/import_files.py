"""The import files of tests, sent part by part."""

import json
from typing import Any

import httpx

from tests.product_svc.rest_factories import API, PRICE, STAFF

TYPES = {"ndjson": "application/x-ndjson", "csv": "text/csv"}


def line(*skus: str, **fields: Any) -> dict[str, Any]:
    return {"name": "Mug", "variants": [{"sku": sku, "price": PRICE} for sku in skus]} | fields


def ndjson(*documents: Any) -> bytes:
    return b"".join(json.dumps(document).encode() + b"\n" for document in documents)


async def begun(api: API, lines: int, form: str = "ndjson") -> str:
    response = await api.post("/v1/imports", json={"format": form, "lines": lines}, headers=STAFF)
    assert response.status_code == 201, response.text
    path: str = response.headers["location"]
    assert response.json() == (await api.get(path, headers=STAFF)).json()
    return path


async def send(api: API, path: str, first: int, content: bytes, form: str = "ndjson") -> httpx.Response:
    headers = {**STAFF, "Content-Type": TYPES[form]}
    return await api.post(f"{path}/parts?first_line={first}", content=content, headers=headers)


async def taken(api: API, path: str, first: int, content: bytes, form: str = "ndjson") -> dict[str, Any]:
    response = await send(api, path, first, content, form)
    assert response.status_code == 200, response.text
    progress: dict[str, Any] = response.json()
    assert progress == (await api.get(path, headers=STAFF)).json()
    return progress
