"""The Postman collection (format 2.1.0), made of the steps and of the OpenAPI documents."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tests.contracts.apps import described
from tests.contracts.postman.step import Step

SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
WRITTEN = (
    " It makes customers and products of its own at every run: see docs/postman.md. Written by"
    " `python -m tests.contracts`, and run by `make test`."
)
JSON = ("application/json", "application/problem+json")
TRIES, PAUSE_MS = 150, 200
"""How often, and after which pause, a request that waits for events is repeated."""

Folders = Mapping[str, tuple[str, Sequence[Step]]]
"""Name of a folder → the service that it asks, and its requests."""


def collection(name: str, about: str, folders: Folders) -> str:
    """A collection as text."""
    items = [
        {"name": folder, "item": [_item(service, step) for step in steps]}
        for folder, (service, steps) in folders.items()
    ]
    info = {"name": name, "description": about + WRITTEN, "schema": SCHEMA}
    return _text({"info": info, "item": items, "event": [_script("prerequest", _NAMES)]})


def environment(values: Mapping[str, str]) -> str:
    """The environment: where a shop is, and who its staff are."""
    listed = [{"key": key, "value": value, "enabled": True} for key, value in values.items()]
    return _text({"name": "Shopstream, as make run and compose start it", "values": listed})


FIRST = "Register"
_NAMES = (
    "// With the first request: names that no run before this one has used.",
    f"if (pm.info.requestName === '{FIRST}') {{",
    "  const run = pm.variables.replaceIn('{{$guid}}').slice(0, 13);",
    "  pm.collectionVariables.set('run', run);",
    "  pm.collectionVariables.set('sku', `MUG-${run}`);",
    "}",
)


def _item(service: str, step: Step) -> dict[str, Any]:
    method, path = step.route.split(" ")
    asked = re.sub(r"{(\w+)}", lambda name: step.variables.get(name[1], f"{{{{{name[1]}}}}}"), path)
    asked += f"?{step.query}" if step.query else ""
    headers = dict(step.headers)
    if step.who != "nobody":
        headers["Authorization"] = f"Bearer {{{{{step.who}_token}}}}"
    request: dict[str, Any] = {"method": method, "url": f"{{{{{service}_url}}}}{asked}"}
    if step.body is not None:
        headers["Content-Type"] = step.media
        request["body"] = {"mode": "raw", "raw": step.body if isinstance(step.body, str) else _text(step.body)}
    request["header"] = [{"key": key, "value": value} for key, value in headers.items()]
    if service in described():
        operation = described()[service]["paths"][path][method.lower()]
        request["description"] = operation.get("description", operation["summary"])
    return {"name": step.name, "request": request, "event": [_script("test", _tests(service, step))]}


def _tests(service: str, step: Step) -> Iterator[str]:
    media, fields = _promised(service, step)
    if step.until:
        yield from _again(step)
    yield f"pm.test('answers {step.status}', () => pm.response.to.have.status({step.status}));"
    if service in described():
        yield "pm.test('has a request id', () => pm.response.to.have.header('X-Request-Id'));"
    for header in step.told:
        yield f"pm.test('has {header}', () => pm.response.to.have.header('{header}'));"
        if header == "ETag":
            yield "pm.collectionVariables.set('etag', pm.response.headers.get('ETag'));"
    if media:
        yield "const type = pm.response.headers.get('Content-Type');"
        yield f"pm.test('is {media}', () => pm.expect(type).to.include('{media}'));"
    if media in JSON:
        yield "const body = pm.response.json();"
        if fields:
            yield f"pm.test('has its fields', () => pm.expect(body).to.include.all.keys({json.dumps(fields)}));"
    elif media:
        yield "const body = pm.response.text();"
    for name, true in step.holds.items():
        yield f"pm.test({json.dumps(name)}, () => pm.expect({true}).to.equal(true));"
    for variable, place in step.keeps.items():
        yield f"pm.collectionVariables.set('{variable}', {place});"


def _again(step: Step) -> Iterator[str]:
    """Repeats the request, and leaves out its tests, until what it waits for is there."""
    yield "const tries = Number(pm.collectionVariables.get('tries') || 0) + 1;"
    yield f"const there = ((body) => {step.until})(pm.response.json());"
    yield f"if (!there && tries < {TRIES}) {{"
    yield "  pm.collectionVariables.set('tries', tries);"
    yield "  pm.execution.setNextRequest(pm.info.requestName);"
    yield f"  setTimeout(() => {{}}, {PAUSE_MS});"
    yield "  return;"
    yield "}"
    yield "pm.collectionVariables.unset('tries');"
    yield "pm.test('has come', () => pm.expect(there).to.equal(true));"


def _promised(service: str, step: Step) -> tuple[str, list[str]]:
    """The media type that the OpenAPI document promises for this answer, and the fields that are in it."""
    document = described().get(service)
    if document is None:
        return step.media, []
    method, path = step.route.split(" ")
    answers: dict[str, Any] = document["paths"][path][method.lower()]["responses"]
    content = answers[str(step.status)].get("content", {})
    if not content:
        return "", []
    media, body = (step.media, content[step.media]) if step.media in content else next(iter(content.items()))
    schema = body.get("schema", {})
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return media, sorted(schema.get("required", []))


def _script(listen: str, lines: Iterable[str]) -> dict[str, Any]:
    return {"listen": listen, "script": {"type": "text/javascript", "exec": list(lines)}}


def _text(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
