"""``shop import`` and ``shop export``: files of products."""

import csv
import sys
import time
from codecs import lookup
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, BinaryIO, Literal

import typer

from ops.cli import show
from ops.cli.command import FINDINGS, Connection, on_platform
from ops.cli.options import AsJson
from ops.errors import CannotDo
from ops.imports.download import Export
from ops.imports.plain import CsvFile, NdjsonFile, Reading
from ops.imports.records import Fault, Format, Source
from ops.imports.shops import ShopFile
from ops.imports.state import StateFile
from ops.imports.upload import Done, Upload, content_of
from ops.imports.whole import appearing
from schemas.currencies import MINOR_UNITS

SHOWN = 20
"""The most faults on the screen; all are in the file."""
SUFFIXES: dict[str, Format] = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}

FormatName = Literal["auto", "csv", "ndjson"]
ShopName = Literal["shopify", "woocommerce", "magento"]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("import")(import_products)
    app.command("export")(export_products)


def _delimiter(text: str) -> str:
    known = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";"}.get(text.lower(), text)
    if len(known) != 1 or known in '"\n\r':
        raise typer.BadParameter(f"{text!r} is no delimiter: write ',', ';', '|' or tab")
    return known


def _currency(text: str) -> str:
    if text.upper() not in MINOR_UNITS:
        raise typer.BadParameter(f"there is no currency {text!r} in ISO 4217")
    return text.upper()


def _encoding(text: str) -> str:
    try:
        return lookup(text).name
    except LookupError:
        raise typer.BadParameter(f"there is no encoding {text!r}: write utf-8, utf-16 or cp1252") from None


FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="NDJSON with a product a line, or CSV with a variant a line.")
]
FileFormat = Annotated[FormatName, typer.Option("--format", help="Of the file; auto goes by its name.")]
From = Annotated[
    ShopName | None, typer.Option("--from", help="The file is an export of this shop program.", show_default=False)
]
Delimiter = Annotated[
    str,
    typer.Option("--delimiter", parser=_delimiter, metavar="SIGN", help="Between the cells of CSV: ';', '|', tab."),
]
DecimalPrices = Annotated[
    bool, typer.Option("--decimal-prices", help="Prices are 12.50, not 1250 minor units of the currency.")
]
DecimalComma = Annotated[bool, typer.Option("--decimal-comma", help="Prices are 12,50.")]
Currency = Annotated[
    str | None,
    typer.Option(
        "--currency", parser=_currency, metavar="CODE", help="Of prices in files without currencies: EUR.",
        show_default=False,
    ),
]  # fmt: skip
Encoding = Annotated[
    str,
    typer.Option("--encoding", parser=_encoding, metavar="NAME", help="Of the file: cp1252 is that of old tables."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Try every line on the server, and import none.")]
Restart = Annotated[
    bool, typer.Option("--restart", help="Begin with line 1, also where an earlier attempt was interrupted.")
]
FaultsFile = Annotated[
    Path | None,
    typer.Option("--faults", metavar="FILE", help="Where faulty lines are listed.", show_default="FILE.faults.csv"),
]
Patience = Annotated[
    float,
    typer.Option("--patience", min=0, metavar="SECONDS", help="How long to try where a service does not answer."),
]


@dataclass(frozen=True, slots=True)
class Report:
    """How many faults there are, and the first of them; all are in the file."""

    path: Path | None
    count: int
    first: Sequence[Fault]


@on_platform("import the file", "staff")
async def import_products(
    shop: Connection,
    file: FileArgument,
    form: FileFormat = "auto",
    from_: From = None,
    delimiter: Delimiter = ",",
    decimal_prices: DecimalPrices = False,
    decimal_comma: DecimalComma = False,
    currency: Currency = None,
    encoding: Encoding = "utf-8",
    dry_run: DryRun = False,
    restart: Restart = False,
    faults: FaultsFile = None,
    patience: Patience = 60.0,
    as_json: AsJson = False,
) -> None:
    """Import products from a file, with an account of shop staff.

    Where it is interrupted, the same command continues. Lines that cannot be imported do not stop the others: they
    are listed with number, field and reason, on the screen and in a file.

    Exits with 0 if all was imported, 1 if there are faulty lines, 2 if it could not finish.

    Examples:

        shop import products.ndjson
        shop import products.csv --dry-run
        shop import stock-list.csv --delimiter ';' --decimal-comma --currency EUR --encoding cp1252
        shop import products_export.csv --from shopify --currency EUR
        shop import products.csv --json | jq .failed
    """
    reading = Reading(encoding, delimiter, decimal_prices, decimal_comma, currency)
    source = _source(file, form, from_, reading)
    if faults and faults.resolve() == file.resolve():
        raise CannotDo("--faults names the file that is imported: name another one")
    began, state = time.monotonic(), StateFile(file, shop.platform.url("product"), dry_run=dry_run)
    content = content_of(source)
    upload = Upload(shop.rest, source, content, state, dry_run, patience)
    with show.bar(f"{'try' if dry_run else 'import'} {file.name}") as bar:
        done = await upload.run(restart=restart, progress=bar)
    path = faults or file.with_name(f"{file.name}.faults.csv")
    report = (
        await _report(upload.faults(done.document["id"]), path)
        if done.failed
        else _no_report(None if faults else path)
    )
    # Until then, the same command has something to do: it writes the report.
    state.remove()
    _print_import(done, report, time.monotonic() - began, as_json=as_json)
    raise typer.Exit(FINDINGS if done.failed else 0)


def _source(file: Path, form: FormatName, shop: ShopName | None, reading: Reading) -> Source:
    if not file.is_file():
        raise CannotDo(f"there is no file {file}")
    if shop:
        if reading.currency is None:
            raise CannotDo(f"exports of {shop} do not say in which currency prices are: set --currency")
        return ShopFile(file, reading, shop)
    chosen = _format(file, form)
    if chosen == "ndjson":
        return NdjsonFile(file, reading)
    return CsvFile(file, reading)


def _format(file: Path, form: FormatName) -> Format:
    found = SUFFIXES.get(file.suffix.lower()) if form == "auto" else form
    if found is None:
        raise CannotDo(f"the name of {file} does not say what it is: set --format to csv or ndjson")
    return found


async def _report(faults: AsyncIterator[Fault], path: Path) -> Report:
    first: list[Fault] = []
    count = 0
    try:
        with appearing(path) as unfinished, unfinished.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("line", "field", "reason", "code"))
            async for fault in faults:
                writer.writerow((fault.line, _safe(fault.field), _safe(fault.reason), fault.code))
                count += 1
                first += [fault] if count <= SHOWN else []
    except OSError as error:
        raise CannotDo(f"the faults cannot be written to {path}: {error.strerror}; set --faults") from error
    return Report(path, count, first)


def _no_report(path: Path | None) -> Report:
    """Nothing is wrong any more: the list of an earlier attempt goes, where its name was ours."""
    if path and path.is_file():
        with suppress(OSError):
            path.unlink()
    return Report(None, 0, ())


def _safe(text: str) -> str:
    """Text that a spreadsheet does not compute."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def _print_import(done: Done, report: Report, seconds: float, *, as_json: bool) -> None:
    document = done.document
    counts = {name: document[name] for name in ("created", "changed", "unchanged")}
    if as_json:
        faults = [
            {"line": one.line, "field": one.field, "reason": one.reason, "code": one.code} for one in report.first
        ]
        path = str(report.path) if report.path else None
        about = {"import": document["id"], "dry_run": document["dry_run"], "lines": document["lines"]}
        about |= {"continued_at": done.continued_at, **counts, "failed": done.failed}
        show.print_json(about | {"faults": faults, "faults_file": path, "seconds": round(seconds, 1)})
        return
    screen = show.screen()
    if report.first:
        table = show.new_table("line", "field", "reason", right=("line",))
        for one in report.first:
            show.add_row(table, one.line, one.field, one.reason)
        screen.print(table)
        more = f", {report.count - len(report.first):,} more" if report.count > len(report.first) else ""
        screen.print(f"all in {report.path}{more}")
    if done.continued_at > 1:
        screen.print(f"continued at line {done.continued_at:,} of an import that was interrupted")
    verb = "would be " if document["dry_run"] else ""
    said = ", ".join(f"{number:,} {verb}{name}" for name, number in counts.items())
    # What an earlier attempt has sent took none of these seconds.
    speed = f"{(document['lines'] - done.continued_at + 1) / max(seconds, 0.001):,.0f} lines/s"
    screen.print(f"{document['lines']:,} lines: {said}, {done.failed:,} faulty ({seconds:.1f} s, {speed})")


@on_platform("export the catalogue", "staff")
async def export_products(
    shop: Connection,
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Where to; standard output if left out.", show_default=False)
    ] = None,
    form: FileFormat = "auto",
    patience: Patience = 60.0,
    as_json: AsJson = False,
) -> None:
    """Export all products, drafts and discontinued ones too, with an account of shop staff.

    The file can be imported again unchanged. It appears when it is complete. Without FILE, NDJSON is printed.

    Examples:

        shop export products.csv
        shop export --format csv | gzip > products.csv.gz
        shop export products.ndjson --json
    """
    if file is None:
        if as_json:
            raise CannotDo("the products and --json would both be printed: name a FILE")
        with show.bar("export") as bar:
            await Export(shop.rest, "csv" if form == "csv" else "ndjson", _print, bar).run(patience)
        return
    chosen = _format(file, form)
    try:
        with appearing(file) as unfinished, unfinished.open("wb") as target, show.bar(f"export {file.name}") as bar:
            done = await _exported(shop, chosen, target, bar, patience)
    except OSError as error:
        raise CannotDo(f"{file} cannot be written: {error.strerror}") from error
    if as_json:
        show.print_json({"file": str(file), "format": chosen, "products": done.products, "bytes": done.size})
    else:
        show.screen().print(f"{done.products:,} products, {done.size:,} bytes in {file}")


async def _exported(shop: Connection, form: Format, target: BinaryIO, bar: show.Bar, patience: float) -> Export:
    export = Export(shop.rest, form, target.write, bar)
    await export.run(patience)
    return export


def _print(content: bytes) -> None:
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
