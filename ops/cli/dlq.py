"""``shop dlq``: dead letters, which are events that could not be handled."""

import asyncio
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from ops.cli import show
from ops.cli.command import FINDINGS, Connection, new_group, on_platform
from ops.cli.dlq_text import pretty, print_groups, print_letter, print_letters, print_redrive, print_results
from ops.cli.options import AsJson, GroupFilter, OptionalWhy, RequestId, Why, complete_event_type
from ops.editor import edited
from ops.errors import CannotDo
from ops.jobs import FoundJob, follow
from ops.letters import (
    REDRIVES,
    FoundLetter,
    find_letter,
    find_letters,
    group_letters,
    list_letters,
    services_with_dead,
)
from ops.platform import GROUPS, SERVICES
from ops.rest import Refused

app = new_group("See, edit, redrive or discard events that could not be handled.")

Event = Annotated[UUID, typer.Argument(metavar="EVENT", help="The id of the event.")]
# A dead letter may have a type that nobody knows.
TypeFilter = Annotated[
    str | None,
    typer.Option(
        "--type", autocompletion=complete_event_type, metavar="TYPE", help="Only events of this type: order.placed."
    ),
]
KeyFilter = Annotated[str | None, typer.Option("--key", metavar="KEY", help="Only events with this key.")]
FingerprintFilter = Annotated[
    str | None, typer.Option("--fingerprint", metavar="ID", help="Only those with this cause: see list.")
]


class By(StrEnum):
    """What to count by."""

    FINGERPRINT = "fingerprint"
    TYPE = "type"
    KEY = "key"


class State(StrEnum):
    """What became of a letter."""

    DEAD = "dead"
    PARKED = "parked"
    REDRIVEN = "redriven"
    DISCARDED = "discarded"


@app.command("list")
@on_platform("list the dead letters")
async def list_command(
    shop: Connection,
    by: Annotated[By | None, typer.Option("--by", help="Count the open ones by this.")] = None,
    group: GroupFilter = None,
    type_: TypeFilter = None,
    key: KeyFilter = None,
    fingerprint: FingerprintFilter = None,
    state: Annotated[
        list[State] | None,
        typer.Option("--state", help="Only in this state (default: the open, dead and parked). Can be repeated."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List dead letters, or count them by their cause.

    A dead letter could not be handled; the later events of its key are parked behind it. A fingerprint is equal for
    letters with the same cause.

    Examples:

        shop dlq list --by fingerprint
        shop dlq list --group order_svc --type stock.reserved
        shop dlq list --state discarded --json | jq -r '.[].event_id'
    """
    services = _services(group)
    filters = {"type": type_, "key": key, "fingerprint": fingerprint}
    if by:
        if state:
            raise CannotDo("--by counts the open ones: leave out --state")
        found = await group_letters(shop.rest, services, by=by.value, **filters)
        show.print_json(found) if as_json else print_groups(by.value, found)
        return
    states = [one.value for one in state] if state else None
    found = await list_letters(shop.rest, services, state=states, **filters)
    show.print_json(found) if as_json else print_letters(found)


@app.command("show")
@on_platform("show the dead letter")
async def show_command(
    shop: Connection,
    event: Event,
    request_id: RequestId,
    group: GroupFilter = None,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Show the value, too. That it was read is recorded, with --why.")
    ] = False,
    why: OptionalWhy = None,
    as_json: AsJson = False,
) -> None:
    """Show what is known of a dead letter; its value, which may be personal data, only with --reveal.

    Examples:

        shop dlq show 019b7c61-0000-7000-8000-00009395c3f3
        shop dlq show 019b7c61-0000-7000-8000-00009395c3f3 --reveal --why "which field is missing?"
    """
    if reveal and not why:
        raise CannotDo("--reveal needs a reason, which is recorded: --why")
    letter = await find_letter(shop.rest, _services(group), event)
    document = letter.document
    if reveal:
        document |= await _revealed(shop, letter, why or "", request_id)
    show.print_json(document) if as_json else print_letter(document)


@app.command("edit")
@on_platform("edit the dead letter")
async def edit(
    shop: Connection,
    event: Event,
    why: Why,
    request_id: RequestId,
    file: Annotated[
        str | None, typer.Option("--file", metavar="F", help="The new value; - is stdin. Default: your EDITOR.")
    ] = None,
    group: GroupFilter = None,
    as_json: AsJson = False,
) -> None:
    """Replace the value of a dead letter, then redrive it. Id, key and headers stay, and so does the first value.

    The new value has to be readable as the event that the headers name. Without --file, the value is shown in the
    editor of VISUAL or EDITOR, and that it was read is recorded.

    Examples:

        shop dlq edit 019b7c61-0000-7000-8000-00009395c3f3 --file fixed.json --why "the price was missing"
        EDITOR=vi shop dlq edit 019b7c61-0000-7000-8000-00009395c3f3 --why "the price was missing"
    """
    value = _read(file) if file is not None else None
    letter = await find_letter(shop.rest, _services(group), event)
    if value is None:
        if not letter.open:
            raise CannotDo(f"it is {letter.document['state']}")
        value = edited(pretty((await _revealed(shop, letter, why, request_id))["value"] or ""))
    body = {"value": value, "why": why}
    document = await shop.rest.post(letter.service, f"{letter.url}/edit", body, key=request_id)
    if as_json:
        show.print_json(document)
    else:
        typer.echo(f"edited {document['event_id']} of {document['group']}: shop dlq redrive {document['event_id']}")


@app.command("redrive")
@on_platform("redrive")
async def redrive(
    shop: Connection,
    why: Why,
    request_id: RequestId,
    events: Annotated[list[UUID] | None, typer.Argument(metavar="[EVENT…]", help="The ids of events.")] = None,
    fingerprint: FingerprintFilter = None,
    type_: TypeFilter = None,
    key: KeyFilter = None,
    everything: Annotated[bool, typer.Option("--all", help="All dead letters.")] = False,
    group: GroupFilter = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Have dead letters handled again, in order, with those that are parked behind them.

    The selection is frozen when it is made. The letters of a key stop at the first that fails again. Exits with 1 if
    any failed.

    Examples:

        shop dlq redrive --fingerprint 9f86d081884c7d65 --dry-run --why "fixed in 1.4.2"
        shop dlq redrive 019b7c61-0000-7000-8000-00009395c3f3 --why "it was edited"
        shop dlq redrive --all --group order_svc --why "fixed in 1.4.2"
    """
    filters = {"fingerprint": fingerprint, "type": type_, "key": key}
    given = {name: value for name, value in filters.items() if value}
    if bool(events) + len(given) + everything != 1:
        raise CannotDo("say which, in one way: events, --fingerprint, --type, --key or --all")
    services = _services(group)
    if events:
        found = [letter for event in events for letter in await find_letters(shop.rest, services, event)]
        selections: dict[str, dict[str, Any]] = {
            service: {"letters": list(dict.fromkeys(one.event for one in found if one.service == service))}
            for service in dict.fromkeys(one.service for one in found)
        }
    else:
        matching = await services_with_dead(shop.rest, services, **given)
        selections = {service: given or {"all": True} for service in matching}
    jobs = []
    for service, selection in selections.items():
        body = {**selection, "dry_run": dry_run, "why": why}
        jobs.append(FoundJob(service, REDRIVES, await shop.rest.post(service, REDRIVES, body, key=request_id)))
    done = await asyncio.gather(*(_followed(shop, job) for job in jobs))
    summary = _summary(done)
    show.print_json(summary) if as_json else print_redrive(summary)
    for job in done:
        if job.document["state"] != "done":
            raise CannotDo(f"{job.service}: its job is {job.document['state']}: {job.document['error']}")
    raise typer.Exit(FINDINGS if summary["failed"] else 0)


@app.command("discard")
@on_platform("discard")
async def discard(
    shop: Connection,
    events: Annotated[list[UUID], typer.Argument(metavar="EVENT…", help="The ids of the events.")],
    why: Why,
    request_id: RequestId,
    group: GroupFilter = None,
    as_json: AsJson = False,
) -> None:
    """Give dead letters up: they will never be handled, and the next ones of their keys can be redriven.

    Exits with 1 if this is not possible for all of the events.

    Examples:

        shop dlq discard 019b7c61-0000-7000-8000-00009395c3f3 --why "a test message"
    """
    letters = [await find_letter(shop.rest, _services(group), event) for event in dict.fromkeys(events)]
    results = [await _discarded(shop, letter, why, request_id) for letter in letters]
    refused = [one for one in results if one["error"]]
    if len(results) == len(refused) == 1:
        raise CannotDo(refused[0]["error"])
    show.print_json(results) if as_json else print_results(results)
    raise typer.Exit(FINDINGS if refused else 0)


def _services(group: str | None) -> Sequence[str]:
    return [GROUPS[group]] if group else SERVICES


async def _revealed(shop: Connection, letter: FoundLetter, why: str, request_id: str) -> dict[str, Any]:
    revealed: dict[str, Any] = await shop.rest.post(
        letter.service, f"{letter.url}/reveal", {"why": why}, key=request_id
    )
    return revealed


def _read(file: str) -> str:
    try:
        value = (sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()).decode()
    except UnicodeDecodeError as error:
        raise CannotDo(f"{file} is not UTF-8") from error
    except OSError as error:
        raise CannotDo(f"{file}: {error.strerror}") from error
    if not value.strip():
        raise CannotDo(f"{file} is empty")
    return value


async def _followed(shop: Connection, job: FoundJob) -> FoundJob:
    with show.bar(f"redriving {job.document['group']}") as bar:
        return await follow(shop.rest, job, lambda document: bar(document["streams"], document["selected"]))


def _summary(jobs: Sequence[FoundJob]) -> dict[str, Any]:
    """The sums of the jobs, the results of all of them, and the jobs."""
    documents = [job.document for job in jobs]
    sums = {name: sum(one[name] for one in documents) for name in ("selected", "brought", "failed", "skipped")}
    results = [{"group": one["group"], **result} for one in documents for result in one["results"]]
    return {**sums, "dry_run": any(one["dry_run"] for one in documents), "results": results, "jobs": documents}


async def _discarded(shop: Connection, letter: FoundLetter, why: str, request_id: str) -> dict[str, Any]:
    about = {"event_id": letter.event, "group": letter.document["group"]}
    try:
        after = await shop.rest.post(letter.service, f"{letter.url}/discard", {"why": why}, key=request_id)
    except Refused as error:
        return {**about, "state": letter.document["state"], "error": str(error)}
    return {**about, "state": after["state"], "error": None}
