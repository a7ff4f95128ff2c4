"""Lines of an import as they are read, and of an export as they are written."""

import json
from csv import reader
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from chassis.http.errors import MalformedRequest
from chassis.http.fields import VISIBLE
from product_svc.catalogue.domain import Product, Variant
from product_svc.imports.export import lines, rows
from product_svc.imports.lines import COLUMNS, EXPORTED, MAX_LINES, ProductLine, neutralised, original, read_part
from schemas import Money
from tests import bad_inputs

MUG: dict[str, Any] = {"name": "Mug", "variants": [{"sku": "MUG", "price": {"amount": 5, "currency": "EUR"}}]}
HEADING = "sku,name,price,currency"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def ndjson(*documents: Any) -> bytes:
    return b"".join(json.dumps(document).encode() + b"\n" for document in documents)


def csv(text: str, heading: str = HEADING) -> list[ProductLine | str | None]:
    part = read_part(f"{heading}\n{text}".encode(), "csv", 1, None)
    assert part.columns == tuple(heading.split(","))
    return [line.product or line.error for line in part.lines[1:]]


def test_a_line_of_ndjson_is_a_product() -> None:
    part = read_part(ndjson(MUG, MUG | {"status": "draft"}), "ndjson", 7, None)
    assert [line.number for line in part.lines] == [7, 8]
    assert [line.product for line in part.lines] == [
        ProductLine.model_validate(MUG),
        ProductLine.model_validate(MUG | {"status": "draft"}),
    ]


def test_fields_that_a_line_leaves_out_are_not_changed() -> None:
    assert ProductLine.model_validate(MUG).changes() == {"name": "Mug"}
    full = MUG | {"images": ["http://x.example/"], "category_id": None}
    assert ProductLine.model_validate(full).changes() == {
        "name": "Mug",
        "images": ("http://x.example/",),
        "category_id": None,
    }


def test_an_invalid_line_does_not_affect_the_others() -> None:
    content = b'{"name": 1}\n\n \n{"name"\n\xff\n' + ndjson(MUG)
    broken, *blank, cut, bytes_, good = read_part(content, "ndjson", 1, None).lines
    assert broken.error == "name: Input should be a valid string; variants: Field required"
    assert [(line.product, line.error) for line in blank] == [(None, None)] * 2
    assert "Invalid JSON" in (cut.error or "")
    assert bytes_.error
    assert good.product


@pytest.mark.parametrize("name", [name for name in bad_inputs.NOT_AN_OBJECT if name not in {"nothing", "a blank"}])
def test_a_line_that_is_not_a_json_object_is_invalid(name: str) -> None:
    content = bad_inputs.NOT_AN_OBJECT[name].replace(b"\n", b" ")
    assert all(line.product is None and line.error for line in read_part(content, "ndjson", 1, None).lines)


def test_a_product_with_one_invalid_value_is_an_invalid_line() -> None:
    for name, content, _ in bad_inputs.invalid_bodies(MUG):
        [line] = read_part(content.replace(b"\n", b" "), "ndjson", 1, None).lines
        assert line.error, name
        assert len(line.error) < 2000


def test_a_row_of_csv_is_a_product_with_one_variant() -> None:
    heading = ",".join(EXPORTED)
    row = (
        '00000000-0000-0000-0000-000000000001,7,"Mug, ""blue""",Tea,,"{""a"": [""x""], ""b"": 1.0}",'
        "https://x.example/a https://x.example/b,draft,MUG,5,EUR,{},,discontinued\r\n"
    )
    [product] = csv(row, heading)
    assert product == ProductLine.model_validate(
        {
            "id": UUID(int=1),
            "version": 7,
            "name": 'Mug, "blue"',
            "description": "Tea",
            "attributes": {"a": ["x"], "b": 1.0},
            "images": ["https://x.example/a", "https://x.example/b"],
            "status": "draft",
            "variants": [MUG["variants"][0] | {"attributes": {}, "status": "discontinued"}],
        }
    )
    assert isinstance(product, ProductLine)
    assert "category_id" not in product.model_fields_set


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        ("MUG,Mug,5", "3 cells under 4 columns"),
        ("MUG,Mug,5,EUR,x", "5 cells under 4 columns"),
        ("MUG,Mug,5.0,EUR", "variants/0/price/amount: Input should be a valid integer"),
        ("MUG,Mug,-5,EUR", "variants/0/price/amount: Input should be a valid integer"),
        ("MUG,Mug,٣,EUR", "variants/0/price/amount: Input should be a valid integer"),
        ("MUG,Mug,0,EUR", "variants/0/price/amount: Input should be greater than or equal to 1"),
        ("MUG,,5,EUR", "name: Field required"),
        (",Mug,5,EUR", "variants/0/sku: Field required"),
        ('MUG,"Mug,5,EUR', "a quoted cell is not closed"),
        ('MUG,"Mug"x,5,EUR', "',' expected after '\"'"),
        ("MUG,a\x00b,5,EUR", "name: String should match pattern"),
    ],
)
def test_an_invalid_row_does_not_affect_the_others(row: str, wrong: str) -> None:
    bad, good = csv(f"{row}\nMUG,Mug,5,EUR")
    assert isinstance(bad, str)
    assert bad.startswith(wrong)
    assert isinstance(good, ProductLine)


@pytest.mark.parametrize("version", ["0", "-1", "1.0", "x", "1e3", str(2**64)])
def test_an_invalid_version_is_an_invalid_line(version: str) -> None:
    [wrong] = csv(f"MUG,Mug,5,EUR,{version}", f"{HEADING},version")
    assert isinstance(wrong, str)
    assert wrong.startswith("version: ")
    text = json.dumps(MUG)[:-1] + f', "version": {version}}}'
    assert read_part(text.encode(), "ndjson", 1, None).lines[0].error


def test_the_heading_is_that_of_the_first_part() -> None:
    [line] = read_part(b"EUR,5,Mug,MUG", "csv", 2, ["currency", "price", "name", "sku"]).lines
    assert line.product == ProductLine.model_validate(MUG)
    assert read_part(b"\xef\xbb\xbfsku,name,price,currency", "csv", 1, None).columns is not None


@pytest.mark.parametrize(
    "heading",
    [
        "",
        "sku",
        "sku,name,price,currency,colour",
        "sku,sku,name,price,currency",
        '"sku',
        "\udcff".join("ab"),
        "a" * 9999,
    ],
    ids=lambda text: ascii(text)[:20],
)
def test_an_invalid_heading_is_malformed(heading: str) -> None:
    with pytest.raises(MalformedRequest) as refused:
        read_part(heading.encode(errors="surrogateescape") + b"\n", "csv", 1, None)
    assert refused.value.extra["errors"][0]["where"] == "body/1"


@pytest.mark.parametrize("content", [b"", b"\n" * (MAX_LINES + 1)])
def test_a_part_has_at_least_one_line_and_not_too_many(content: bytes) -> None:
    with pytest.raises(MalformedRequest):
        read_part(content, "ndjson", 1, None)


NAMES: TypeAdapter[str] = TypeAdapter(Annotated[str, VISIBLE])


def _is_kept(text: str) -> bool:
    """Whether a name is kept as it is: there is something to see, and no space around it."""
    try:
        return NAMES.validate_python(text) == text
    except ValidationError:
        return False


plain = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=20).filter(_is_kept)
formula = st.tuples(st.text("'=+-@\uff1d", min_size=1, max_size=3), plain).map("".join)
text = plain | formula
attributes = st.dictionaries(
    st.sampled_from(["a", "B-1", "c_d"]),
    text | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.lists(text, max_size=3),
    max_size=3,
)  # fmt: skip
images = st.lists(st.just("https://x.example/a"), max_size=2).map(tuple)
variants = st.builds(
    Variant,
    st.just("MUG"),
    st.builds(Money, amount=st.integers(1, 10**9), currency=st.just("EUR")),
    attributes,
    images,
    st.sampled_from(["active", "discontinued"]),
)
products = st.builds(
    Product,
    st.uuids(),
    text,
    attributes,
    st.tuples(variants),
    st.integers(1, 10**6),
    st.just(NOW),
    text,
    st.uuids(),
    images,
    st.sampled_from(["draft", "active", "discontinued"]),
)


@given(products)
@settings(max_examples=30, deadline=None)
def test_exported_products_can_be_imported_unchanged(product: Product) -> None:
    for read in (
        read_part(lines([product]), "ndjson", 1, None).lines[0],
        read_part(rows([product]), "csv", 2, EXPORTED).lines[0],
    ):
        assert read.product, read.error
        wanted = {name: getattr(product, name) for name in ("name", "description", "category_id", "status")}
        wanted |= {"attributes": product.attributes}
        assert (read.product.id, read.product.version) == (product.id, product.version)
        assert repr({name: getattr(read.product, name) for name in wanted}) == repr(wanted)
        assert tuple(read.product.images) == product.images
        assert repr(tuple(read.product.to_variants())) == repr(product.variants)


@given(products)
@settings(max_examples=30, deadline=None)
def test_no_exported_cell_is_a_formula(product: Product) -> None:
    for row in reader(rows([product]).decode().splitlines()):
        assert [cell for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []


@pytest.mark.parametrize(
    ("cell", "exported"),
    [
        ('=HYPERLINK("https://evil.example","Mug")', '\'=HYPERLINK("https://evil.example","Mug")'),
        ("+1", "'+1"),
        ("-5", "'-5"),
        ("@SUM(1)", "'@SUM(1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\uff1d1", "'\uff1d1"),
        ("'=1", "''=1"),
        ("''=1", "'''=1"),
        ("'tis a mug", "'tis a mug"),
        ("''", "''"),
        ("a=1", "a=1"),
        ("", ""),
    ],
)
def test_a_cell_that_would_be_a_formula_gets_an_apostrophe_which_the_import_removes(cell: str, exported: str) -> None:
    assert neutralised(cell) == exported
    assert original(exported) == cell


@given(st.text("'=+-@\t\rab", max_size=8))
def test_any_text_survives(cell: str) -> None:
    assert original(neutralised(cell)) == cell


def test_a_cell_that_somebody_typed_is_taken_as_it_is() -> None:
    [formula, quoted] = csv("MUG,=1+1,5,EUR\nMUG,'tis,5,EUR")
    assert isinstance(formula, ProductLine)
    assert isinstance(quoted, ProductLine)
    assert (formula.name, quoted.name) == ("=1+1", "'tis")


def test_numbers_stay_numbers() -> None:
    product = Product(
        UUID(int=1), "-5", {"a": -5}, (Variant("MUG", Money(amount=5, currency="EUR")),), 7, NOW, description="'-5"
    )
    [row] = reader(rows([product]).decode().splitlines())
    shown = dict(zip(EXPORTED, row, strict=True))
    assert (shown["version"], shown["price"], shown["attributes"]) == ("7", "5", '{"a":-5}')
    assert (shown["name"], shown["description"]) == ("'-5", "''-5")


def test_a_price_in_an_invented_currency_is_a_fault() -> None:
    [error] = csv("MUG,Mug,1250,ZZZ")
    assert error == "variants/0/price/currency: There is no such currency in ISO 4217"


def test_a_cell_of_csv_may_have_line_breaks() -> None:
    heading = f"{HEADING},description"
    rows_of_it = 'MUG,Mug,5,EUR,"One\r\ntwo, ""three""\n\nfour"\nCUP,Cup,5,EUR,'
    mug, *within, cup = csv(rows_of_it, heading)
    assert isinstance(mug, ProductLine)
    assert mug.description == 'One\ntwo, "three"\n\nfour'
    assert within == [None] * 3
    assert isinstance(cup, ProductLine)
    part = read_part(rows_of_it.encode(), "csv", 7, tuple(heading.split(",")))
    assert [line.number for line in part.lines if line.product] == [7, 11]


@pytest.mark.parametrize(
    "rows_of_it",
    [
        'MUG,"Mug\n,5,EUR\nCUP,Cup,5,EUR',
        'MUG,"Mug\nCUP,"Cup",5,EUR',
        'MUG,"' + "x" * 70_000 + '\n",5,EUR\nCUP,Cup,5,EUR',
    ],
    ids=["not closed", "closed by the quote of another row", "too large"],
)
def test_a_row_whose_quotes_are_not_closed_is_one_faulty_line(rows_of_it: str) -> None:
    bad, *_, good = csv(rows_of_it)
    assert bad == "a quoted cell is not closed: a row has to be whole in its part"
    assert isinstance(good, ProductLine)


def test_a_part_of_opening_quotes_is_read_once() -> None:
    # Looking for the end of each of them would take minutes.
    part = read_part(b"\n".join([b'"' + b"x" * 500] * MAX_LINES), "csv", 2, COLUMNS)
    assert all(line.error for line in part.lines)


def test_an_exported_description_with_line_breaks_can_be_imported() -> None:
    variants = (Variant("MUG", Money(amount=5, currency="EUR")),)
    product = Product(UUID(int=1), "Mug", {}, variants, 1, NOW, description="One\ntwo")
    [line, blank] = read_part(rows([product]), "csv", 2, EXPORTED).lines
    assert line.product
    assert (line.product.description, blank.product, blank.error) == ("One\ntwo", None, None)
