"""The options of ``shop import`` and ``shop export``: what is refused, and in which words."""

from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from ops.cli import products
from ops.errors import CannotDo
from ops.imports.plain import Reading
from ops.imports.upload import content_of
from tests.ops.imports.files import write

HEADING = "sku,name,price,currency"


@pytest.mark.parametrize(
    ("parser", "text", "words"),
    [
        (products._delimiter, ";;", "no delimiter"),
        (products._delimiter, '"', "no delimiter"),
        (products._currency, "EUX", "no currency 'EUX'"),
        (products._encoding, "utf-7,5", "no encoding"),
    ],
)
def test_an_option_that_is_no_such_thing_is_refused(parser: Callable[[str], str], text: str, words: str) -> None:
    with pytest.raises(typer.BadParameter, match=words):
        parser(text)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    good, reading = write(tmp_path, f"{HEADING}\nA,Mug,5,EUR\n"), Reading()
    for make, words in (
        (lambda: products._source(tmp_path, "auto", None, reading), "there is no file"),
        (lambda: products._source(write(tmp_path, "{}", "products"), "auto", None, reading), "set --format"),
        (lambda: products._source(good, "auto", "shopify", reading), "set --currency"),
        (lambda: products._format(tmp_path / "x.xlsx", "auto"), "set --format"),
        (
            lambda: content_of(products._source(good, "auto", "shopify", Reading(currency="EUR"))),
            "no export of shopify",
        ),
        (lambda: content_of(products._source(write(tmp_path, "", "e.ndjson"), "auto", None, reading)), "empty"),
    ):
        with pytest.raises(CannotDo, match=words):
            make()
