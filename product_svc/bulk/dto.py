"""The bodies of imports."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from chassis.http.bodies import RequestBody, ResponseBody
from chassis.http.paging import Page
from product_svc.bulk.domain import Fault, Format, Import


class ImportBody(RequestBody):
    """A file that is to come, in parts."""

    format: Annotated[Format, Field(examples=["ndjson"])]
    lines: Annotated[int, Field(ge=1, le=10_000_000, description="of the whole file", examples=[12000])]


class ImportOut(ResponseBody):
    """How far a file has come: ``done`` of ``lines``, and what became of them."""

    id: UUID
    format: Format
    lines: Annotated[int, Field(examples=[12000])]
    done: Annotated[int, Field(examples=[500])]
    next_line: Annotated[
        int | None, Field(description="where to go on; null when all lines have come", examples=[501])
    ]
    created: Annotated[int, Field(examples=[320])]
    changed: Annotated[int, Field(examples=[170])]
    unchanged: Annotated[int, Field(examples=[8])]
    failed: Annotated[int, Field(examples=[2])]
    started_at: datetime
    changed_at: datetime


class ImportsOut(Page[ImportOut, UUID]):
    """A page of imports, newest first; ``next`` is the ``before`` of the page that follows, if there is one."""


class FaultOut(ResponseBody):
    """Why a line was not taken."""

    line: Annotated[int, Field(examples=[17])]
    code: Annotated[str, Field(examples=["malformed_line"])]
    detail: Annotated[str, Field(examples=["variants: Field required"])]


class FaultsOut(Page[FaultOut, int]):
    """A page of faults; ``next`` is the ``after`` of the page that follows, if there is one."""

    next: Annotated[int | None, Field(examples=[17])]


def import_out(one: Import) -> ImportOut:
    """An import as staff sees it."""
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
        started_at=one.started_at,
        changed_at=one.changed_at,
    )


def fault_out(fault: Fault) -> FaultOut:
    """A fault as staff sees it."""
    return FaultOut(line=fault.line, code=fault.code, detail=fault.detail)
