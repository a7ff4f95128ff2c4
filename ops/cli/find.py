"""``shop find``."""

from typing import Annotated

import typer

from ops.cli import show
from ops.cli.command import Connection, on_platform
from ops.cli.options import AsJson, KeyFilter, Since, TopicFilter, TraceFilter, TypeFilter, Until
from ops.search import Found, Wanted, find
from schemas import TOPICS


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("find")(find_command)


@on_platform("search the topics")
async def find_command(
    shop: Connection,
    topic: TopicFilter = None,
    type_: TypeFilter = None,
    key: KeyFilter = None,
    trace: TraceFilter = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Show the first so many.")] = 100,
    all_partitions: Annotated[
        bool,
        typer.Option(
            "--all-partitions",
            help="With --key, read all partitions: the key had another one before partitions were added.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Find events on the topics, by their headers.

    The search ends where the topics end when it starts. It starts at --since; with --key it reads one partition of
    each topic. It never looks at values, which may be personal data.

    Examples:

        shop find --key 01a204d0-bc01-74c0-bf12-3bded8300828
        shop find --type order.rejected --since 2h
        shop find --since 2026-11-20T08:00Z --until 2026-11-20T08:05Z --json
    """
    wanted = Wanted(types=type_ or (), key=key, trace=trace, since=since, until=until)
    with show.progress() as progress:
        found = await find(
            shop.platform,
            wanted,
            topics=topic or TOPICS,
            limit=limit,
            all_partitions=all_partitions,
            progress=progress,
        )
    if as_json:
        show.print_json([event.as_json() for event in found.events])
    else:
        _print(found)
    if found.more:
        typer.echo(f"there are more than {limit}: raise --limit, or narrow the search", err=True)


def _print(found: Found) -> None:
    if found.events:
        columns = ("published (UTC)", "type", "key", "id", "topic", "partition", "offset")
        table = show.new_table(*columns, right=("partition", "offset"))
        for one in found.events:
            show.add_row(table, one.at, one.type, one.key, one.id, one.topic, one.partition, one.offset)
        show.screen().print(table)
    show.screen().print(f"[dim]{len(found.events):,} events found, {found.read:,} messages read[/]")
