"""What staff does with imports."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar
from uuid import UUID

from uuid_utils.compat import uuid7

from chassis.http.errors import ShopError
from chassis.http.preconditions import ANY, etag
from product_svc.catalogue.commands import CreateProduct, MergeProduct, prefetch_product
from product_svc.catalogue.domain import Product
from product_svc.errors import ImportNotFound, TooManyLines, UnexpectedLine
from product_svc.imports.domain import Fault, Format, Group, Import, Outcome, Run
from product_svc.imports.lines import ParsedLine, Part, ProductLine
from product_svc.unit_of_work import ProductUnitOfWork

ProductIds = Mapping[int, UUID]
"""Number of a line → the product that it is about."""


@dataclass(frozen=True, slots=True)
class StartImport:
    """Announce a file."""

    import_id: UUID
    format: Format
    lines: int
    by: UUID
    dry_run: bool = False

    def prefetch(self, uow: ProductUnitOfWork) -> None:
        """The import, which must not exist yet."""
        uow.imports.prefetch(self.import_id)

    def execute(self, uow: ProductUnitOfWork) -> Import:
        """Return the import."""
        started = Import(self.import_id, self.format, self.lines, self.by, uow.now, uow.now, dry_run=self.dry_run)
        uow.imports.set(started.id, started)
        return started


class _DryRun(Exception):
    """Undoes what a part has changed."""


@dataclass(frozen=True, slots=True)
class ImportPart:
    """Import every line of a part that can be imported, record why the others cannot, and the progress.

    In a dry run, only the faults and the progress stay.
    """

    errors: ClassVar = (ImportNotFound, UnexpectedLine, TooManyLines)
    import_id: UUID
    first_line: int
    part: Part
    products: ProductIds
    group: Group | None = None
    """What the line after the part may continue."""

    def prefetch(self, uow: ProductUnitOfWork) -> None:
        """The import, and what is needed for each line."""
        uow.imports.prefetch(self.import_id)
        for line in self.part.lines:
            if line.product:
                prefetch_product(uow, self.products[line.number], _skus(line), line.product.category_id)

    def execute(self, uow: ProductUnitOfWork) -> Import:
        """Return the import."""
        before = uow.imports.get(self.import_id)
        if before is None:
            raise ImportNotFound
        before.expect(self.first_line, len(self.part.lines))
        outcomes, faults, run = list[Outcome](), list[Fault](), before.run
        with suppress(_DryRun), uow.undone_on_error(uow.cause, uow.trace):
            for line in self.part.lines:
                outcome, run = self._import(uow, line, run, faults)
                outcomes.append(outcome)
            if before.dry_run:
                # The next part will not find what this one has changed.
                run = None
                raise _DryRun
        for fault in faults:
            uow.import_faults.add(fault)
        after = before.advance(outcomes, self.part.columns, uow.now, run, self.group)
        uow.imports.set(after.id, after)
        return after

    def _import(
        self, uow: ProductUnitOfWork, line: ParsedLine, run: Run | None, faults: list[Fault]
    ) -> tuple[Outcome, Run | None]:
        if line.product is None:
            if line.error is None:
                return "no_product", run
            faults.append(Fault(self.import_id, line.number, "malformed_line", line.error))
            return "failed", run
        try:
            # Undone on its own: a line that fails changes nothing.
            with uow.undone_on_error(uow.cause, uow.trace):
                return _import_product(uow, self.products[line.number], line.product, run)
        except ShopError as error:
            detail = "; ".join([error.detail, *(f"{name}: {value}" for name, value in error.extra.items())])
            faults.append(Fault(self.import_id, line.number, error.code, detail[:1000]))
            return "failed", run


def assign_products(part: Part, owners: Mapping[str, UUID], last: Group | None) -> tuple[ProductIds, Group | None]:
    """Which product each line is about, and the group that the next line may continue.

    The product that a line names, else the one that has one of its SKUs, else that of its group, else a new one.
    ``owners`` is SKU → product, of those that exist; a line also sees the products of the lines before it.
    """
    known, found = dict(owners), dict[int, UUID]()
    lines = [line for line in part.lines if line.product]
    for key, rows in groupby(lines, key=lambda line: line.group or line.number):
        group = list(rows)
        own = [_own_product(line.product, known) for line in group if line.product]
        # What is new in a group belongs to the product before it in the file, or else to the one after it.
        product_id = last.product_id if last and last.key == key else next(filter(None, own), None) or uuid7()
        for line, one in zip(group, own, strict=True):
            product_id = found[line.number] = one or product_id
            for sku in _skus(line):
                known.setdefault(sku, product_id)
        last = Group(key, product_id) if isinstance(key, str) else None
    return found, last


def _own_product(line: ProductLine, owners: Mapping[str, UUID]) -> UUID | None:
    return line.id or next((owners[one.sku] for one in line.variants if one.sku in owners), None)


def _skus(line: ParsedLine) -> list[str]:
    return [variant.sku for variant in line.product.variants] if line.product else []


def _import_product(
    uow: ProductUnitOfWork, product_id: UUID, line: ProductLine, run: Run | None
) -> tuple[Outcome, Run | None]:
    """Create a product, or merge into it what the line has of it; return the run that the next line may continue."""
    before = uow.products.get(product_id)
    if before is None:
        # Whatever version the line states, from another shop perhaps: there is nothing that it could overwrite.
        return "created", _next_run(line, _create(product_id, line).execute(uow))
    merge = MergeProduct(product_id, _if_match(product_id, line, run), line.changes(), line.to_variants())
    after = merge.execute(uow)
    return "unchanged" if after.version == before.version else "changed", _next_run(line, after)


def _create(product_id: UUID, line: ProductLine) -> CreateProduct:
    return CreateProduct(
        product_id,
        line.name,
        line.attributes,
        line.to_variants(),
        line.description,
        line.category_id,
        tuple(line.images),
        line.status,
    )


def _if_match(product_id: UUID, line: ProductLine, run: Run | None) -> str:
    if line.version is None:
        return ANY
    return etag(run.version if run and run.continues(product_id, line.version) else line.version)


def _next_run(line: ProductLine, product: Product) -> Run | None:
    return Run(product.id, line.version, product.version) if line.version else None
