"""The REST bodies of imports."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from chassis.http.bodies import RequestBody, ResponseBody
from chassis.http.paging import Page
from product_svc.imports.domain import Fault, Format, Import


class ImportBody(RequestBody):
    """A file that will be sent in parts."""

    format: Annotated[Format, Field(examples=["ndjson"])]
    lines: Annotated[int, Field(ge=1, le=10_000_000, description="of the whole file", examples=[12000])]
    dry_run: Annotated[
        bool, Field(description="whether lines are only tried, part by part: nothing is imported", examples=[False])
    ] = False


class ImportOut(ResponseBody):
    """The progress of an import: ``done`` of ``lines``, and their outcomes."""

    id: UUID
    format: Format
    lines: Annotated[int, Field(examples=[12000])]
    done: Annotated[int, Field(examples=[500])]
    next_line: Annotated[
        int | None, Field(description="where to continue; null when all lines have arrived", examples=[501])
    ]
    created: Annotated[int, Field(examples=[320])]
    changed: Annotated[int, Field(examples=[170])]
    unchanged: Annotated[int, Field(examples=[8])]
    failed: Annotated[int, Field(examples=[2])]
    dry_run: Annotated[bool, Field(examples=[False])]
    started_at: datetime
    changed_at: datetime


class ImportsOut(Page[ImportOut, UUID]):
    """A page of imports, newest first; ``next`` is the ``cursor`` of the page that follows, if there is one."""


class FaultOut(ResponseBody):
    """Why a line was not imported."""

    line: Annotated[int, Field(examples=[17])]
    code: Annotated[str, Field(examples=["malformed_line"])]
    detail: Annotated[str, Field(examples=["variants: Field required"])]


class FaultsOut(Page[FaultOut, int]):
    """A page of faults; ``next`` is the ``after`` of the page that follows, if there is one."""

    next: Annotated[int | None, Field(examples=[17])]


def import_out(one: Import) -> ImportOut:
    """The body for an import."""
    return ImportOut(
        id=one.id,
        format=one.format,
        lines=one.lines,
        done=one.done,
        next_line=one.next_line,
        created=one.created,
        changed=one.changed,
        unchanged=one.unchanged,
        failed=one.failed,
        dry_run=one.dry_run,
        started_at=one.started_at,
        changed_at=one.changed_at,
    )


def fault_out(fault: Fault) -> FaultOut:
    """The body for a fault."""
    return FaultOut(line=fault.line, code=fault.code, detail=fault.detail)
