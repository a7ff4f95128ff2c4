"""Regular expressions in schemas: none costs much, and compiling them keeps nobody else waiting."""

import threading
from collections import OrderedDict
from typing import Any
from uuid import UUID

import pytest

from chassis.persistence.mongo.database import Mongo
from product_svc.categories import patterns
from product_svc.categories.patterns import (
    COMPILED_SIZE,
    MAX_COMPILED_SIZE,
    MAX_DEPTH,
    MAX_SIZE,
    MAX_TOTAL_SIZE,
    UNICODE_SIZE,
    Patterns,
    Unsupported,
    size,
)
from tests.product_svc.rest_factories import API, STAFF, category, product_body
from tests.responses import assert_problem, malformed_fields


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("", 0),
        ("abc", 3),
        ("^[a-z]+$", 3),
        ("a{3}b{2,5}c{4,}", 12),
        ("a*b+c?d+?", 4),
        ("(a{10}){10}", 100),
        ("(?:a|bc){10}", 40),
        ("(?P<x>a){2}(?<y>b){3}", 5),
        ("((a{10}{10}){10}){10}", 10_000),
        ("(){1000}", 1000),
        (r"\w{3}", 3 * UNICODE_SIZE),
        (r"\p{Greek}\pL", 2 * UNICODE_SIZE + 1),
        (r"[\w-]{2}", 2 * (UNICODE_SIZE + 1)),
        ("[^a]", UNICODE_SIZE + 1),
        (".", UNICODE_SIZE),
        ("(?i)abc", 4 * UNICODE_SIZE),
        ("[a[b]]{2}", 2),
        (r"[\]()]{2}", 10),
        (r"\{5}", 4 + 1 + 1),
        (r"\({5}", 20),
        ("é", 2),
    ],
)
def test_the_size_of_a_pattern_is_that_of_its_repetitions_written_out(pattern: str, expected: int) -> None:
    assert size(pattern) == expected


@pytest.mark.parametrize(
    "pattern",
    ["(", ")", "a)b", "(a", "[", "[a", "[]a]", "\\", "(?=a)", "(?<=a)", "(?x)a # b", "(?x: a)", "(?U)a", "(" * 500],
)
def test_what_cannot_be_measured_is_not_supported(pattern: str) -> None:
    with pytest.raises(Unsupported):
        size(pattern)


@pytest.mark.parametrize("pattern", ["*", r"(a)\1", "a{2,1}", "a{", r"\p{Nothing}", "[z-a]"])
async def test_what_the_engine_refuses_is_not_supported(pattern: str) -> None:
    known = Patterns()
    await known.compile([pattern])
    assert pattern not in known
    with pytest.raises(Unsupported):
        known.match(pattern, "a")


def test_groups_in_groups_have_a_limit() -> None:
    assert size("(" * MAX_DEPTH + "a" + ")" * MAX_DEPTH) == 1
    with pytest.raises(Unsupported):
        size("(" * (MAX_DEPTH + 1) + "a" + ")" * (MAX_DEPTH + 1))


@pytest.mark.parametrize(
    "pattern",
    [
        *(rf"\w{{{MAX_SIZE // UNICODE_SIZE}}}", rf"[^a]{{{MAX_SIZE // (UNICODE_SIZE + 1)}}}"),
        *(f"a{{{MAX_SIZE}}}", f".{{{MAX_SIZE // UNICODE_SIZE}}}", rf"\p{{L}}{{{MAX_SIZE // UNICODE_SIZE}}}"),
        *(rf"(?i)a{{{MAX_SIZE // UNICODE_SIZE - 1}}}", rf"(?:[a-zà-ü]{{10}}){{{MAX_SIZE // 90}}}"),
        "|".join(r"\w" for _ in range(MAX_SIZE // (UNICODE_SIZE + 1))),
        rf"(?i)\p{{L}}{{{MAX_SIZE // UNICODE_SIZE**2}}}",
    ],
)
async def test_the_largest_patterns_can_be_compiled(pattern: str) -> None:
    assert size(pattern) <= MAX_SIZE
    known = Patterns()
    await known.compile([pattern])
    assert pattern in known


async def test_those_not_used_for_longest_make_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "MAX_COMPILED_SIZE", 3 * (1 + COMPILED_SIZE))
    known = Patterns()
    await known.compile("abc")
    assert known.match("a", "xax")
    await known.compile("d")
    assert [one for one in "abcd" if one in known] == ["a", "c", "d"]


def test_all_patterns_of_some_schemas_have_place() -> None:
    assert MAX_COMPILED_SIZE > 4 * (MAX_TOTAL_SIZE + 200 * COMPILED_SIZE)


def schema(pattern: str, attributes: int) -> dict[str, Any]:
    """Two patterns an attribute, all of them different."""
    rules = {
        f"a{n}": {"type": "string", "pattern": f"{pattern}|{n}", "items": {"pattern": f"{pattern}|i{n}"}}
        for n in range(attributes)
    }
    return {"type": "object", "properties": rules}


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Each pattern that was compiled, and in which thread; a second time is an error."""
    found: dict[str, int] = {}
    original = patterns._compile

    def counting(pattern: str) -> Any:
        assert pattern not in found
        found[pattern] = threading.get_ident()
        return original(pattern)

    monkeypatch.setattr(patterns, "_compile", counting)
    return found


async def test_a_category_with_costly_patterns_is_refused_and_none_is_compiled(
    api: API, compiled: dict[str, int]
) -> None:
    body = {"name": "Kitchen", "attributes_schema": schema(r"\w{239}", 20)}
    response = await api.post("/v1/categories", json=body, headers=STAFF)
    assert "body/attributes_schema/properties/a0/pattern" in malformed_fields(response)
    assert compiled == {}


async def test_patterns_that_are_only_together_too_large_are_refused(api: API) -> None:
    body = {"name": "Kitchen", "attributes_schema": schema("a{900}", 3)}
    response = await api.post("/v1/categories", json=body, headers=STAFF)
    assert malformed_fields(response) == {"body/attributes_schema"}


async def test_a_pattern_that_the_engine_refuses_is_named(api: API) -> None:
    rules = {"a": {"type": "string", "pattern": "a"}, "b": {"type": "array", "items": {"pattern": "*"}}}
    body = {"name": "Kitchen", "attributes_schema": {"type": "object", "properties": rules}}
    response = await api.post("/v1/categories", json=body, headers=STAFF)
    assert malformed_fields(response) == {"body/attributes_schema/properties/b/items/pattern"}


async def test_200_patterns_are_compiled_once_and_never_in_the_event_loop(api: API, compiled: dict[str, int]) -> None:
    of = await category(api, attributes_schema=schema("^[a-z]{1,9}$", 100))
    for number in range(3):
        attributes = {f"a{n}": "abc" for n in range(100)}
        body = product_body(f"PATTERNED-{number}", category_id=of["id"], attributes=attributes)
        response = await api.post("/v1/products", json=body, headers=STAFF)
        assert response.status_code == 201, response.text
    assert len(compiled) == 200
    assert threading.get_ident() not in compiled.values()


async def test_patterns_are_compiled_in_a_thread_also_for_products(
    api: API, compiled: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    of = await category(api, attributes_schema=schema("^first", 1))
    # As in another process, or later.
    monkeypatch.setattr(patterns.PATTERNS, "_compiled", OrderedDict())
    compiled_for_category = dict(compiled)
    compiled.clear()
    body = product_body("IN-A-THREAD", category_id=of["id"], attributes={"a0": "second"})
    assert_problem(await api.post("/v1/products", json=body, headers=STAFF), 409, "invalid_attributes")
    assert compiled.keys() == compiled_for_category.keys()
    assert threading.get_ident() not in {*compiled.values(), *compiled_for_category.values()}


async def test_a_large_pattern_that_was_stored_before_the_limit_matches_nothing(api: API, shared: Mongo) -> None:
    of = await category(api, attributes_schema=schema("a", 1))
    path = "attributes_schema.properties.a0.pattern"
    await shared.db.categories.update_one({"_id": UUID(of["id"])}, {"$set": {path: r"\w{239}"}})
    body = product_body("STORED-BEFORE", category_id=of["id"], attributes={"a0": "a"})
    assert_problem(await api.post("/v1/products", json=body, headers=STAFF), 409, "invalid_attributes")
