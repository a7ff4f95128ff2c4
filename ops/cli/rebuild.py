"""``shop rebuild``: replicas made anew from their topics, compared, swapped, and put back."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

import typer

from ops.cli import show
from ops.cli.command import FAILED, FINDINGS, Connection, new_group, on_platform
from ops.cli.options import AsJson, Group, GroupFilter, OptionalWhy, RequestId, Why
from ops.errors import CannotDo
from ops.jobs import FoundJob, find_job, follow, list_jobs
from ops.platform import GROUPS

app = new_group("Make replicas anew from their topics, compare, swap, and undo.")

REBUILDS = "/v1/ops/rebuilds"
WITH_REPLICAS = ("order", "notifier")
"""The services that have replicas."""
KINDS = ("only_live", "only_rebuilt", "differs")

JobId = Annotated[
    str, typer.Argument(metavar="ID", help="The id of the rebuild; the beginning is enough where it is the only one.")
]
Wait = Annotated[bool, typer.Option(help="Wait for the end; otherwise only request it.")]


@app.command("plan")
@on_platform("rebuild the replica")
async def plan(
    shop: Connection,
    group: Group,
    replica: Annotated[
        str, typer.Argument(metavar="REPLICA", help="A replica: customers, or products of order_svc.")
    ],
    request_id: RequestId,
    key: Annotated[
        UUID | None, typer.Option("--key", metavar="ID", help="Only the rows of this customer or product.")
    ] = None,
    why: OptionalWhy = None,
    wait: Wait = True,
    as_json: AsJson = False,
) -> None:
    """Read the replica's topics into tables beside the live ones, and compare. Nothing live is changed.

    Exits with 1 if there are differences. They are listed by `shop rebuild diff`.

    Examples:

        shop rebuild plan order_svc products --why "a product has the wrong price"
        shop rebuild plan notifier_svc customers --key 01a204d0-bc01-74c0-bf12-3bded8300828 --why "no mail arrives"
    """
    service = GROUPS[group]
    if service not in WITH_REPLICAS:
        raise CannotDo(f"{group} has no replicas")
    body = {"replica": replica, "key": str(key) if key else None, "why": why or "a comparison, which changes nothing"}
    job = FoundJob(service, REBUILDS, await shop.rest.post(service, REBUILDS, body, key=request_id))
    if wait:
        job = await _followed(shop, job)
    _finish(job.document, as_json)
    raise typer.Exit(FINDINGS if _found(job.document) else 0)


@app.command("diff")
@on_platform("read the difference")
async def diff(
    shop: Connection,
    job_id: JobId,
    limit: Annotated[int, typer.Option(min=1, max=500, help="Show so many rows of each kind.")] = 500,
    as_json: AsJson = False,
) -> None:
    """List the rows that differ, by key and column, never by value. Exits with 1 if there are any.

    Examples:

        shop rebuild diff 01a204d0-bc01-74c0-bf12-3bded8300828
        shop rebuild diff 01a204d0-bc01-74c0-bf12-3bded8300828 --json | jq -r '.differs[].key'
    """
    job = await find_job(shop.rest, REBUILDS, job_id, WITH_REPLICAS)
    found = await shop.rest.get(job.service, f"{job.url}/difference", limit=limit)
    counts = found["counts"]
    if as_json:
        show.print_json(found)
    else:
        table = show.new_table("table", "key", "", "columns")
        for kind in KINDS:
            for row in found[kind]:
                show.add_row(table, row["table"], row["key"], kind, ", ".join(row.get("columns", ())))
        screen = show.screen()
        if any(counts[kind] for kind in KINDS):
            screen.print(table)
        screen.print(_summary(counts))
        if not found["complete"]:
            screen.print("not all of them are listed")
    raise typer.Exit(FINDINGS if any(counts[kind] for kind in KINDS) else 0)


@app.command("swap")
@on_platform("swap the replica")
async def swap(
    shop: Connection, job_id: JobId, why: Why, request_id: RequestId, wait: Wait = True, as_json: AsJson = False
) -> None:
    """Bring the live replica to what its topics say, in one transaction. Readers go on meanwhile.

    Examples:

        shop rebuild swap 01a204d0-bc01-74c0-bf12-3bded8300828 --why "the difference is what was planted"
    """
    await _change(shop, "swap", job_id, why, request_id, wait=wait, as_json=as_json)


@app.command("undo")
@on_platform("undo the swap")
async def undo(
    shop: Connection, job_id: JobId, why: Why, request_id: RequestId, wait: Wait = True, as_json: AsJson = False
) -> None:
    """Restore the rows that the swap has replaced, where nothing has changed them since.

    Examples:

        shop rebuild undo 01a204d0-bc01-74c0-bf12-3bded8300828 --why "it was the wrong replica"
    """
    await _change(shop, "undo", job_id, why, request_id, wait=wait, as_json=as_json)


@app.command("cancel")
@on_platform("cancel the rebuild")
async def cancel(shop: Connection, job_id: JobId, why: Why, request_id: RequestId, as_json: AsJson = False) -> None:
    """Stop a rebuild, or drop what it has rebuilt. What was swapped is undone by `shop rebuild undo`.

    Examples:

        shop rebuild cancel 01a204d0-bc01-74c0-bf12-3bded8300828 --why "not needed"
    """
    await _change(shop, "cancel", job_id, why, request_id, wait=False, as_json=as_json)


@app.command("list")
@on_platform("list the rebuilds")
async def list_rebuilds(
    shop: Connection,
    group: GroupFilter = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="Show the newest so many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List rebuilds, the newest first.

    Examples:

        shop rebuild list --group order_svc
    """
    services = [one for one in WITH_REPLICAS if group is None or GROUPS[group] == one]
    found = [job.document for job in await list_jobs(shop.rest, REBUILDS, services, limit)]
    if as_json:
        show.print_json(found)
        return
    table = show.new_table("rebuild", "group", "replica", "key", "state", "stage", "difference", "why")
    for job in found:
        counts = job["difference"]
        differ = sum(counts[kind] for kind in KINDS) if counts else None
        show.add_row(table, *(job[name] for name in _COLUMNS), differ, job["why"])
    show.screen().print(table if found else "no rebuilds")


@app.command("show")
@on_platform("show the rebuild")
async def show_rebuild(shop: Connection, job_id: JobId, as_json: AsJson = False) -> None:
    """Show how far a rebuild has come, and what it has found.

    Examples:

        shop rebuild show 01a204d0-bc01-74c0-bf12-3bded8300828
    """
    job = await find_job(shop.rest, REBUILDS, job_id, WITH_REPLICAS)
    _finish(job.document, as_json, raising=False)


_COLUMNS = ("id", "group", "replica", "key", "state", "stage")


async def _change(
    shop: Connection, step: str, job_id: str, why: str, request_id: str, *, wait: bool, as_json: bool
) -> None:
    job = await find_job(shop.rest, REBUILDS, job_id, WITH_REPLICAS)
    document = await shop.rest.post(job.service, f"{job.url}/{step}", {"why": why}, key=request_id)
    job = FoundJob(job.service, REBUILDS, document)
    _finish((await _followed(shop, job) if wait else job).document, as_json)


async def _followed(shop: Connection, job: FoundJob) -> FoundJob:
    """Wait until the event process is done with a job."""
    with show.bar(f"{job.document['wanted'] or 'rebuild'} {job.document['replica']}") as bar:
        return await follow(shop.rest, job, lambda document: bar(document["counts"]["read"], document["total"]))


def _finish(job: dict[str, Any], as_json: bool, *, raising: bool = True) -> None:
    if as_json:
        show.print_json(job)
    elif not (raising and job["error"]):
        for line in _lines(job):
            show.screen().print(line)
    if raising and job["error"]:
        if as_json:
            raise typer.Exit(FAILED)
        raise CannotDo(job["error"])


def _lines(job: dict[str, Any]) -> list[str]:
    counts, difference = job["counts"], job["difference"]
    stage = job["wanted"] or job["stage"] or job["state"]
    lines = [f"rebuild {job['id']}  {job['group']}  {job['replica']}  {stage} ({job['state']})"]
    lines += [f"  key            {job['key']}"] if job["key"] else []
    lines.append(f"  read           {counts['read']:,} of {job['total']:,}, applied {counts['applied']:,}")
    skipped = {name: counts[name] for name in ("erased", "discarded", "edited") if counts[name]}
    lines += [f"  {name:<14} {number:,}" for name, number in skipped.items()]
    if difference:
        lines.append(f"  difference     {_summary(difference)}")
    if swapped := job["swapped"]:
        changes = ", ".join(f"{name} {swapped[name]:,}" for name in ("removed", "added", "changed", "waiting"))
        lines.append(f"  swapped        {changes}; writers waited {swapped['seconds']:g} s")
    if undone := job["undone"]:
        lines.append(f"  undone         restored {undone['restored']:,}, newer {undone['newer']:,}")
    lines += [f"  error          {job['error']}"] if job["error"] else []
    if job["stage"] == "compared" and _found(job):
        lines.append(f"  → shop rebuild diff {job['id']}")
    return lines


def _found(job: Mapping[str, Any]) -> bool:
    return bool(job["difference"]) and any(job["difference"][kind] for kind in KINDS)


def _summary(counts: Mapping[str, int]) -> str:
    named = [f"{name.replace('_', ' ')} {counts[name]:,}" for name in KINDS]
    named += [f"{name.replace('_', ' ')} {counts[name]:,}" for name in ("left_out", "unreadable") if counts[name]]
    return " · ".join(named)
