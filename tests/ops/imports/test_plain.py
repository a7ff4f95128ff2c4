"""Files in the formats of product_svc as programs write them: marks, encodings, delimiters, line breaks, quotes."""

import codecs
import json
from pathlib import Path

import pytest

from ops.errors import CannotDo
from ops.imports import text
from ops.imports.records import MAX_BYTES, MAX_LINES, Record, parts
from tests.ops.imports.files import csv_records, ndjson_records, write

HEADING = "sku,name,price,currency"


def contents(records: list[Record]) -> list[str]:
    return [record.content.decode() for record in records]


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_marks_and_last_line_breaks_make_no_difference(tmp_path: Path, end: str, mark: bytes) -> None:
    found = ndjson_records(write(tmp_path, mark + f'{{"a": "ä"}}\n{{"b": 1}}{end}'.encode(), "x.ndjson"))
    assert contents(found) == ['{"a": "ä"}', '{"b": 1}']
    found = csv_records(write(tmp_path, mark + f"{HEADING}\r\nA,Mug,5,EUR{end}".encode()))
    assert contents(found) == [HEADING, "A,Mug,5,EUR"]


def test_other_encodings_are_read_by_mark_or_name_and_else_refused(tmp_path: Path) -> None:
    content = f"{HEADING}\nA,Müsli,5,EUR\n"
    for encoding in ("utf-16", "cp1252"):
        path = write(tmp_path, content.encode(encoding))
        named = {"encoding": encoding} if encoding == "cp1252" else {}
        assert contents(csv_records(path, **named))[1] == "A,Müsli,5,EUR"
    with pytest.raises(CannotDo, match=r"no text in utf-8, at or after line 1.*--encoding"):
        csv_records(path)


def test_a_cell_may_have_line_breaks_and_delimiters(tmp_path: Path) -> None:
    path = write(tmp_path, f'{HEADING}\nA,"Mug\n""big"", red",5,EUR\n\nB,Cup,5,EUR\n')
    heading, mug, blank, cup = csv_records(path)
    assert (mug.lines, mug.content.decode(), mug.length) == ((2,), 'A,"Mug\n""big"", red",5,EUR', 2)
    assert (blank.lines, blank.content) == ((4,), b"")
    assert (cup.lines, heading.lines) == ((5,), (1,))


def test_an_open_quote_is_one_faulty_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "MAX_ROW", 50)
    path = write(tmp_path, f'{HEADING}\nA,"Mug,5,EUR\n' + "B,Cup,5,EUR\n" * 9)
    _, wrong, *good = csv_records(path)
    assert (wrong.content, wrong.faults[0].line, wrong.faults[0].reason) == (b"", 2, "a quoted cell is not closed")
    assert contents(good) == ["B,Cup,5,EUR"] * 9


def test_semicolons_decimal_commas_and_a_currency_for_all(tmp_path: Path) -> None:
    path = write(tmp_path, 'sku;name;price\nA;"Mug, red";1.250,50\n;;\nB;Cup;x\nC;Jug\n')
    heading, mug, blank, cup, jug = csv_records(path, delimiter=";", decimal_comma=True, currency="EUR")
    assert contents([heading, mug, blank]) == [HEADING, 'A,"Mug, red",125050,EUR', ""]
    assert [(one.line, one.field, one.reason) for one in (*cup.faults, *jug.faults)] == [
        (4, "price", "'x' is no price"),
        (5, "line", "2 cells under 3 columns"),
    ]


def test_a_delimiter_that_is_not_the_named_one_is_suspected(tmp_path: Path) -> None:
    with pytest.raises(CannotDo, match=r"one column: set --delimiter ';'"):
        csv_records(write(tmp_path, "sku;name;price;currency\n"))
    with pytest.raises(CannotDo, match=r"set --delimiter 'tab'"):
        csv_records(write(tmp_path, "sku\tname\n"))
    for empty in ("", "\n", "\n\n"):
        with pytest.raises(CannotDo, match=r"no heading"):
            csv_records(write(tmp_path, empty))


def test_decimal_prices_of_ndjson_are_exact(tmp_path: Path) -> None:
    def product(*prices: str) -> str:
        return json.dumps({"name": "x", "variants": [{"sku": "A", "price": json.loads(price)} for price in prices]})

    good = product('{"amount": 19.99, "currency": "EUR"}', '{"amount": "0.07"}', '{"amount": 5, "currency": "JPY"}')
    bad = product('{"amount": 1.005, "currency": "EUR"}')
    path = write(tmp_path, "\n".join((good, bad, "{}", "[]", "{", "")), "x.ndjson")
    found = ndjson_records(path, decimal_prices=True, currency="USD")
    amounts = [one["price"] for one in json.loads(found[0].content)["variants"]]
    assert amounts == [
        {"amount": 1999, "currency": "EUR"},
        {"amount": 7, "currency": "USD"},
        {"amount": 5, "currency": "JPY"},
    ]
    assert [(fault.line, fault.field) for one in found[1:] for fault in one.faults] == [
        (2, "price"),
        (3, "variants"),
        (4, "variants"),
        (5, "line"),
    ]


def test_a_file_that_is_no_list_of_products_does_not_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "LONGEST", 1000)
    with pytest.raises(CannotDo, match=r"line 2 .* is too long"):
        ndjson_records(write(tmp_path, "{}\n" + "x" * 5000, "x.ndjson"))


def test_parts_have_whole_records_and_end_in_time() -> None:
    records = [Record((n,), b"x\ny" if n % 2 else b"x" * 1000) for n in range(1, 1001)]
    whole = [*parts(records)]
    assert b"".join(part.body for part in whole) == b"".join(record.content + b"\n" for record in records)
    assert all(part.length <= MAX_LINES and len(part.body) <= MAX_BYTES for part in whole)
    assert [part.first_line for part in whole] == [
        1 + sum(one.length for one in whole[:n]) for n in range(len(whole))
    ]
    # Continued behind any of them, the others are the same.
    assert [*parts(records, whole[2].first_line)] == whole[2:]


def test_a_record_that_fits_in_no_part_is_a_fault(tmp_path: Path) -> None:
    [large, small] = ndjson_records(write(tmp_path, "x" * MAX_BYTES + "\n{}\n", "x.ndjson"))
    assert (large.content, large.faults[0].line) == (b"", 1)
    assert small.content == b"{}"
