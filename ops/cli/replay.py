"""``shop replay``: bring events that a consumer group has not handled, and prove that it was done."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import typer

from ops.cli import show
from ops.cli.command import FINDINGS, Connection, new_group, on_platform
from ops.cli.options import (
    AsJson,
    Group,
    GroupFilter,
    KeyFilter,
    OptionalWhy,
    RequestId,
    Since,
    TraceFilter,
    Until,
    Why,
    one_topic,
    one_type,
)
from ops.cli.replay_jobs import REPLAYS, change, followed, planned, raise_ended
from ops.cli.replay_options import JobId, MailsOption, Mode, Offsets, OffsetsOption, Rate
from ops.cli.replay_text import print_plan, print_run, verdict
from ops.errors import CannotDo
from ops.jobs import find_job, list_jobs
from ops.platform import GROUPS, SERVICES

app = new_group("Bring events that a consumer group has missed: plan, run, prove.")


@app.command("plan")
@on_platform("plan the replay")
async def plan(
    shop: Connection,
    group: Group,
    request_id: RequestId,
    topic: Annotated[str | None, one_topic("Only this topic (default: all that the group subscribes to).")] = None,
    type_: Annotated[str | None, one_type("Only events of this type: order.placed.")] = None,
    key: KeyFilter = None,
    trace: TraceFilter = None,
    since: Since = None,
    until: Until = None,
    offsets: OffsetsOption = None,
    mode: Annotated[
        Mode, typer.Option(help="missing: what the group has not handled. again: what it has, where that is safe.")
    ] = Mode.MISSING,
    mails: MailsOption = None,
    rate: Rate = None,
    why: OptionalWhy = None,
    as_json: AsJson = False,
) -> None:
    """Read the topics, and count what a run would bring into a group. Changes nothing.

    A plan ends where the group has committed, so a run never overtakes the live consumer. Exits with 0 if there is
    nothing to bring, 1 if there is something, 2 if it could not be planned.

    Examples:

        shop replay plan notifier_svc --topic order.events --since 2h --why "offsets were reset"
        shop replay plan order_svc --topic stock.events --offsets 0:100-200 --why "offsets were reset" --json
        shop replay plan order_svc --type product.changed --mode again --why "the handler is fixed"
    """
    request = {
        "mode": mode.value,
        "topic": topic,
        "type": type_,
        "key": key,
        "trace": trace,
        "since": since and since.isoformat(),
        "until": until and until.isoformat(),
        "offsets": _by_partition(offsets, topic) if offsets else None,
        "mails": mails and mails.value,
        "rate": rate,
    }
    job = await planned(shop, GROUPS[group], request, why or "a plan, which changes nothing", request_id)
    if as_json:
        show.print_json(job.document)
    else:
        print_plan(job.document)
        typer.echo("nothing was changed")
    raise typer.Exit(FINDINGS if job.document["counts"]["to_bring"] else 0)


@app.command("run")
@on_platform("run the replay")
async def run(
    shop: Connection,
    job_id: JobId,
    why: Why,
    request_id: RequestId,
    mails: MailsOption = None,
    rate: Rate = None,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Do not wait for its end: see show.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring what a plan has found, and compare the outcome with the plan.

    Exits with 0 if everything was brought, 1 if something failed or the run was not equal to the plan, 2 if it did
    not come to its end.

    Examples:

        shop replay run 01a2 --mails withhold --why "offsets were reset"
        shop replay run 01a2 --rate 50 --no-wait --why "offsets were reset"
    """
    body = {"state": "running", "mails": mails and mails.value, "rate": rate}
    job = await change(shop, await find_job(shop.rest, REPLAYS, job_id), body, why, request_id)
    if not no_wait:
        job = await followed(shop, job)
    document = job.document
    show.print_json(document) if as_json else print_run(document)
    if no_wait:
        return
    if document["state"] != "done":
        raise_ended(job)
    raise typer.Exit(0 if document["equal"] and not document["done"]["failed"] else FINDINGS)


@app.command("pause")
@on_platform("pause the replay")
async def pause(shop: Connection, job_id: JobId, why: Why, request_id: RequestId, as_json: AsJson = False) -> None:
    """Pause a run. It stays paused, also when processes are started again, until it is resumed.

    Examples:

        shop replay pause 01a2 --why "the mail server is slow"
    """
    await _set_state(shop, job_id, "paused", why, request_id, as_json)


@app.command("resume")
@on_platform("resume the replay")
async def resume(shop: Connection, job_id: JobId, why: Why, request_id: RequestId, as_json: AsJson = False) -> None:
    """Let a run that was paused go on.

    Examples:

        shop replay resume 01a2 --why "the mail server is fast again"
    """
    await _set_state(shop, job_id, "running", why, request_id, as_json)


@app.command("cancel")
@on_platform("cancel the replay")
async def cancel(shop: Connection, job_id: JobId, why: Why, request_id: RequestId, as_json: AsJson = False) -> None:
    """End a replay. What it has brought stays.

    Examples:

        shop replay cancel 01a2 --why "planned for the wrong group"
    """
    await _set_state(shop, job_id, "cancelled", why, request_id, as_json)


@app.command("show")
@on_platform("show the replay")
async def show_replay(shop: Connection, job_id: JobId, as_json: AsJson = False) -> None:
    """Show the plan of a replay, and how far its run has come.

    Examples:

        shop replay show 01a2
        shop replay show 01a2 --json | jq .done
    """
    document = (await find_job(shop.rest, REPLAYS, job_id)).document
    if as_json:
        show.print_json(document)
        return
    if document["counts"]:
        print_plan(document)
    print_run(document)


@app.command("verify")
@on_platform("verify the replay")
async def verify(
    shop: Connection, job_id: JobId, request_id: RequestId, why: OptionalWhy = None, as_json: AsJson = False
) -> None:
    """Prove that a run has done what was planned, and that nothing is left to bring.

    Compares the digests, and plans the same request anew (except in mode again, where there is always something).
    Exits with 0 if both are as they should be, 1 if not, 2 if the replay is not done.

    Examples:

        shop replay verify 01a2
        shop replay verify 01a2 --json | jq .left
    """
    job = await find_job(shop.rest, REPLAYS, job_id)
    document = job.document
    if document["state"] != "done":
        raise CannotDo(f"it is {document['state']}: only one that is done can be verified")
    anew: dict[str, Any] | None = None
    if document["mode"] == "missing":
        request = {**document["request"], "mode": document["mode"]}
        anew = (await planned(shop, job.service, request, why or f"verify {job.id}", request_id)).document
    left = anew["counts"]["to_bring"] if anew else None
    still_dead = anew["counts"]["dead_lettered"] if anew and document["done"]["failed"] else 0
    if as_json:
        show.print_json({**document, "left": left, "plan": anew})
    else:
        print_run(document)
        typer.echo(verdict(document, left, still_dead))
    raise typer.Exit(0 if document["equal"] and not left and not still_dead else FINDINGS)


@app.command("list")
@on_platform("list the replays")
async def list_replays(
    shop: Connection,
    group: GroupFilter = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Show the last so many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List replays, the newest first.

    Examples:

        shop replay list
        shop replay list --group notifier_svc --json | jq '.[] | select(.state == "running") | .id'
    """
    found = await list_jobs(shop.rest, REPLAYS, [GROUPS[group]] if group else SERVICES, limit)
    if as_json:
        show.print_json([job.document for job in found])
        return
    numbers = ("to bring", "brought", "failed")
    table = show.new_table("id", "group", "mode", "state", *numbers, "equal", "made (UTC)", "why", right=numbers)
    for job in found:
        one = job.document
        to_bring = one["counts"] and one["counts"]["to_bring"]
        equal = ("yes" if one["equal"] else "no") if one["state"] == "done" else None
        row = [one[name] for name in ("id", "group", "mode", "state")]
        row += [to_bring, one["done"]["brought"], one["done"]["failed"], equal]
        show.add_row(table, *row, datetime.fromisoformat(one["created_at"]), one["why"])
    show.screen().print(table if found else "no replays")


def _by_partition(offsets: Sequence[Offsets], topic: str | None) -> dict[str, list[int]]:
    if topic is None:
        raise CannotDo("--offsets are those of one topic: give --topic as well")
    if len({one.partition for one in offsets}) < len(offsets):
        raise CannotDo("--offsets names a partition twice")
    return {str(one.partition): [one.first, one.end] for one in offsets}


async def _set_state(shop: Connection, job_id: str, state: str, why: str, request_id: str, as_json: bool) -> None:
    job = await find_job(shop.rest, REPLAYS, job_id)
    now = job.document["state"]
    if state == "running" and now not in ("running", "paused"):
        raise CannotDo(f"it is {now}, not paused" + (": run it" if now == "planned" else ""))
    job = await change(shop, job, {"state": state}, why, request_id)
    show.print_json(job.document) if as_json else print_run(job.document)
