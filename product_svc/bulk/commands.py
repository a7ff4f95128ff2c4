"""What can be done with imports. Each decides inside a transaction that it neither opens nor ends."""

from collections.abc import Mapping
from uuid import UUID

from uuid_utils.compat import uuid7

from chassis.http.errors import ShopError
from chassis.http.preconditions import ANY, etag
from product_svc.bulk.domain import Fault, Format, Import, Outcome, Run
from product_svc.bulk.lines import Part, ProductLine, Read
from product_svc.catalogue.commands import change_product, create_product, want_product
from product_svc.catalogue.domain import Product
from product_svc.errors import ImportUnknown
from product_svc.store import Warehouse

Placed = Mapping[int, UUID]
"""Number of a line → the product that it is about."""


def start_import(unit: Warehouse, import_id: UUID, form: Format, lines: int, by: UUID) -> Import:
    """Expect a file of so many lines."""
    begun = Import(import_id, form, lines, by, unit.now, unit.now)
    unit.imports.set(begun.id, begun)
    return begun


def placed(part: Part, owners: Mapping[str, UUID]) -> Placed:
    """Which product each line is about: the one it names, else the one that has one of its SKUs, else a new one.

    ``owners`` is SKU → product, of those that there are; lines see those before them.
    """
    known, found = dict(owners), dict[int, UUID]()
    for line in part.lines:
        if line.product is None:
            continue
        skus = [variant.sku for variant in line.product.variants]
        owned = next((known[sku] for sku in skus if sku in known), None)
        found[line.number] = line.product.id or owned or uuid7()
        for sku in skus:
            known.setdefault(sku, found[line.number])
    return found


def want_part(unit: Warehouse, import_id: UUID, part: Part, products: Placed) -> None:
    """Want what ``take_part`` looks at."""
    unit.imports.prefetch(import_id)
    for line in part.lines:
        if line.product:
            skus = [variant.sku for variant in line.product.variants]
            want_product(unit, products[line.number], skus, line.product.category_id)


def take_part(unit: Warehouse, import_id: UUID, first: int, part: Part, products: Placed) -> Import:
    """Take every line that can be taken, note why the others cannot, and how far the file has come.

    Raise ``ImportUnknown``, ``OutOfLine``, ``TooManyLines``.
    """
    begun = unit.imports.get(import_id)
    if begun is None:
        raise ImportUnknown
    begun.expect(first, len(part.lines))
    outcomes, run = [], begun.run
    for line in part.lines:
        outcome, run = _outcome(unit, import_id, line, products, run)
        outcomes.append(outcome)
    after = begun.advance(outcomes, part.columns, unit.now, run)
    unit.imports.set(after.id, after)
    return after


def put_product(unit: Warehouse, product_id: UUID, line: ProductLine, run: Run | None) -> tuple[Outcome, Run | None]:
    """Make a product as a line says, or change what the line has of it. Raises as these do.

    ``run`` is what the line may belong to; what comes back is what the next one may.
    """
    before = unit.products.get(product_id)
    if before is None:
        # Whatever version it states, from another shop perhaps: there is nothing that it could overwrite.
        made = create_product(
            unit,
            product_id,
            line.name,
            line.attributes,
            line.priced(),
            description=line.description,
            category_id=line.category_id,
            images=tuple(line.images),
            status=line.status,
        )
        return "created", _run(line, made)
    changes = line.changes() | {"variants": before.with_variants(line.priced())}
    after = change_product(unit, product_id, _condition(product_id, line, run), changes)
    return "unchanged" if after.version == before.version else "changed", _run(line, after)


def _condition(product_id: UUID, line: ProductLine, run: Run | None) -> str:
    """The ``If-Match`` of a line."""
    if line.version is None:
        return ANY
    return etag(run.left if run and run.goes_on(product_id, line.version) else line.version)


def _run(line: ProductLine, product: Product) -> Run | None:
    return Run(product.id, line.version, product.version) if line.version else None


def _outcome(
    unit: Warehouse, import_id: UUID, line: Read, products: Placed, run: Run | None
) -> tuple[Outcome, Run | None]:
    product = line.product
    if product is None:
        if line.wrong is None:
            return "no_product", run
        unit.import_faults.add(Fault(import_id, line.number, "malformed_line", line.wrong))
        return "failed", run
    try:
        # As a step of its own: a line that is refused leaves nothing behind.
        with unit.undone_on_error(unit.cause, unit.trace):
            return put_product(unit, products[line.number], product, run)
    except ShopError as error:
        told = "; ".join([error.detail, *(f"{name}: {value}" for name, value in error.extra.items())])
        unit.import_faults.add(Fault(import_id, line.number, error.code, told[:1000]))
        return "failed", run
