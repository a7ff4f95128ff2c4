"""The collections ``imports`` and ``import_faults``."""

from dataclasses import asdict
from typing import Any, ClassVar, get_args
from uuid import UUID

from beanie import Document
from pydantic import BaseModel
from pymongo import ASCENDING, IndexModel, InsertOne, ReplaceOne
from uuid_utils.compat import uuid7

from chassis.persistence.mongo.rows import Load, write_rows
from chassis.persistence.mongo.times import from_micros, to_micros
from chassis.persistence.mongo.transaction import MongoTransaction
from chassis.persistence.unit_of_work import AppendOnly, IdentityMap
from product_svc.imports.domain import Fault, Format, Group, Import, Run

_COUNTS = ("lines", "done", "created", "changed", "unchanged", "failed")


class RunPart(BaseModel):
    """Consecutive lines about one product."""

    product_id: UUID
    stated_version: int
    version: int


class GroupPart(BaseModel):
    """Consecutive rows with one handle or name."""

    key: str
    product_id: UUID


class ImportDocument(Document):
    """An import."""

    id: UUID  # type: ignore[assignment]
    format: str
    lines: int
    by: UUID
    started_at: int
    changed_at: int
    done: int
    created: int
    changed: int
    unchanged: int
    failed: int
    columns: list[str] | None
    run: RunPart | None = None
    group: GroupPart | None = None
    dry_run: bool = False

    class Settings:
        """Beanie's settings."""

        name = "imports"


class FaultDocument(Document):
    """A line that was not imported."""

    id: UUID  # type: ignore[assignment]
    import_id: UUID
    line: int
    code: str
    detail: str

    class Settings:
        """Beanie's settings."""

        name = "import_faults"
        indexes: ClassVar = [IndexModel([("import_id", ASCENDING), ("line", ASCENDING)], unique=True)]


def to_load(rows: IdentityMap[UUID, Import]) -> Load[UUID, Import]:
    """The prefetched imports, for ``load_rows``."""
    return rows, "imports", read_import


async def save(tx: MongoTransaction, rows: IdentityMap[UUID, Import]) -> None:
    """Write the changed imports; raise ``ConcurrentUpdate`` where another part came first."""
    writes: list[Any] = [InsertOne(_document(one)) for one in rows.inserted]
    await write_rows(tx, "imports", writes + [_replace(rows.original(one.id), one) for one in rows.updated])


async def save_faults(tx: MongoTransaction, faults: AppendOnly[Fault]) -> None:
    """Write the new faults."""
    await write_rows(tx, "import_faults", [InsertOne(_fault_document(fault)) for fault in faults.added])


def read_import(document: Any) -> tuple[UUID, Import]:
    """(id, import) of a document of ``imports``."""
    [form] = [known for known in get_args(Format) if known == document["format"]]
    columns, run, group = document["columns"], document.get("run"), document.get("group")
    return document["_id"], Import(
        id=document["_id"],
        format=form,
        by=document["by"],
        started_at=from_micros(document["started_at"]),
        changed_at=from_micros(document["changed_at"]),
        columns=None if columns is None else tuple(columns),
        run=Run(**run) if run else None,
        group=Group(**group) if group else None,
        dry_run=document.get("dry_run", False),
        **{name: document[name] for name in _COUNTS},
    )


def read_fault(document: Any) -> Fault:
    """A document of ``import_faults``."""
    return Fault(document["import_id"], document["line"], document["code"], document["detail"])


def _document(one: Import) -> dict[str, Any]:
    return {
        "_id": one.id,
        "format": one.format,
        "by": one.by,
        "started_at": to_micros(one.started_at),
        "changed_at": to_micros(one.changed_at),
        "columns": None if one.columns is None else list(one.columns),
        "run": asdict(one.run) if one.run else None,
        "group": asdict(one.group) if one.group else None,
        "dry_run": one.dry_run,
        **{name: getattr(one, name) for name in _COUNTS},
    }


def _replace(before: Import | None, after: Import) -> ReplaceOne[dict[str, Any]]:
    assert before is not None
    return ReplaceOne({"_id": after.id, "done": before.done}, _document(after))


def _fault_document(fault: Fault) -> dict[str, Any]:
    return {
        "_id": uuid7(),
        "import_id": fault.import_id,
        "line": fault.line,
        "code": fault.code,
        "detail": fault.detail,
    }
