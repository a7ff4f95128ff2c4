"""``shop lag``."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.markup import escape

from ops.cli import show
from ops.cli.command import FINDINGS, Connection, on_platform
from ops.cli.options import AsJson, GroupFilter
from ops.lag import PartitionLag, lags, summaries
from ops.platform import GROUPS, SERVICES


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("lag")(lag)


@on_platform("read the lag")
async def lag(
    shop: Connection,
    group: GroupFilter = None,
    partitions: Annotated[bool, typer.Option("--partitions", "-p", help="Show each partition, not sums.")] = False,
    most: Annotated[
        int | None,
        typer.Option("--most", min=0, metavar="N", help="Exit with 1 if a group is more than N events behind."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show how far each consumer group is behind the end of its topics.

    Offsets are committed once a second, so a busy group is always a little behind. Below the table: events that wait
    in an outbox, and dead letters. `--json` has one item for each group and partition: group, topic, partition,
    committed (null before the first commit), end, lag.

    Examples:

        shop lag
        shop lag --group order_svc --partitions
        shop lag --most 1000 >/dev/null || echo "a group lags behind"
    """
    states = await summaries(shop.rest, [GROUPS[group]] if group else SERVICES)
    found = await lags(shop.platform, {state["group"]: state["handles"] for state in states})
    if as_json:
        show.print_json([asdict(one) for one in found])
    else:
        _print_partitions(found) if partitions else _print_topics(found)
        _print_pending(states)
    behind = {state["group"]: sum(one.lag for one in found if one.group == state["group"]) for state in states}
    raise typer.Exit(FINDINGS if most is not None and max(behind.values()) > most else 0)


def _print_partitions(found: Sequence[PartitionLag]) -> None:
    numbers = ("partition", "committed", "end", "lag")
    table = show.new_table("group", "topic", *numbers, right=numbers)
    for one in found:
        show.add_row(
            table, one.group, one.topic, one.partition, one.committed, one.end, one.lag, style=_style(one.lag)
        )
    show.screen().print(table)


def _print_topics(found: Sequence[PartitionLag]) -> None:
    table = show.new_table("group", "topic", "partitions", "events", "lag", right=("partitions", "events", "lag"))
    for group, topic in dict.fromkeys((one.group, one.topic) for one in found):
        rows = [one for one in found if (one.group, one.topic) == (group, topic)]
        behind = sum(one.lag for one in rows)
        show.add_row(table, group, topic, len(rows), sum(one.end for one in rows), behind, style=_style(behind))
    show.screen().print(table)


def _style(lag: int) -> str:
    return "yellow" if lag else ""


def _print_pending(states: Sequence[dict[str, Any]]) -> None:
    for state in states:
        letters = state["dead_letters"]
        parts = [f"{state['outbox_waiting']:,} events wait in the outbox"] * bool(state["outbox_waiting"])
        if letters["dead"] or letters["parked"]:
            parts.append(f"{letters['dead']:,} dead letters, {letters['parked']:,} parked behind them")
        if parts:
            show.screen().print(f"[yellow]![/] {escape(state['service'])}: {'; '.join(parts)}")
