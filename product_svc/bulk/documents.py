"""How imports and their faults get in and out of their collections."""

from dataclasses import asdict
from typing import Any, ClassVar, get_args
from uuid import UUID

from beanie import Document
from pydantic import BaseModel
from pymongo import ASCENDING, IndexModel, InsertOne, ReplaceOne
from uuid_utils.compat import uuid7

from chassis.persistence.unit_of_work import AppendOnly, IdentityMap
from product_svc.bulk.domain import Fault, Format, Import, Run
from product_svc.times import micros, moment

_COUNTS = ("lines", "done", "created", "changed", "unchanged", "failed")


class RunPart(BaseModel):
    """Lines of one product that stand together."""

    product_id: UUID
    stated: int
    left: int


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

    class Settings:
        """Beanie's settings."""

        name = "imports"


class FaultDocument(Document):
    """A line that was not taken."""

    id: UUID  # type: ignore[assignment]
    import_id: UUID
    line: int
    code: str
    detail: str

    class Settings:
        """Beanie's settings."""

        name = "import_faults"
        indexes: ClassVar = [IndexModel([("import_id", ASCENDING), ("line", ASCENDING)], unique=True)]


def import_of(document: Any) -> tuple[UUID, Import]:
    """(id, import) of a document of ``imports``."""
    [form] = [known for known in get_args(Format) if known == document["format"]]
    columns, run = document["columns"], document.get("run")
    return document["_id"], Import(
        id=document["_id"],
        format=form,
        by=document["by"],
        started_at=moment(document["started_at"]),
        changed_at=moment(document["changed_at"]),
        columns=None if columns is None else tuple(columns),
        run=Run(**run) if run else None,
        **{name: document[name] for name in _COUNTS},
    )


def import_writes(rows: IdentityMap[UUID, Import]) -> list[Any]:
    """What to write of the imports of a transaction; one that goes on must be where it was loaded."""
    writes: list[Any] = [InsertOne(_document(made)) for made in rows.inserted]
    for after in rows.updated:
        before = rows.original(after.id)
        assert before is not None
        writes.append(ReplaceOne({"_id": after.id, "done": before.done}, _document(after)))
    return writes


def fault_writes(faults: AppendOnly[Fault]) -> list[Any]:
    """What to write of the faults of a transaction."""
    return [
        InsertOne({"_id": uuid7(), "import_id": f.import_id, "line": f.line, "code": f.code, "detail": f.detail})
        for f in faults.added
    ]


def fault_of(document: Any) -> Fault:
    """A document of ``import_faults``."""
    return Fault(document["import_id"], document["line"], document["code"], document["detail"])


def _document(one: Import) -> dict[str, Any]:
    return {
        "_id": one.id,
        "format": one.format,
        "by": one.by,
        "started_at": micros(one.started_at),
        "changed_at": micros(one.changed_at),
        "columns": None if one.columns is None else list(one.columns),
        "run": asdict(one.run) if one.run else None,
        **{name: getattr(one, name) for name in _COUNTS},
    }
