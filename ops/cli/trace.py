"""``shop trace``."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from ops.cli import show
from ops.cli.command import FINDINGS, Connection, on_platform
from ops.cli.options import AsJson, Since
from ops.trace import parse_key, trace
from ops.trace.ledgers import Ledgers
from ops.trace.search import open_search
from ops.trace.show import tree

RECENT = timedelta(hours=1)
"""How far back the events of a trace id are searched for."""

KeyArgument = Annotated[
    str,
    typer.Argument(
        metavar="ORDER | CUSTOMER | EVENT | TRACE-ID | EMAIL",
        help="The id of an order, customer or event; a trace id, as in the logs; or a customer's e-mail address.",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("trace")(trace_command)


@on_platform("trace it")
async def trace_command(
    shop: Connection,
    key: KeyArgument,
    since: Since = None,
    seconds: Annotated[float, typer.Option(min=0, help="End the search of the topics after so many seconds.")] = 30.0,
    as_json: AsJson = False,
) -> None:
    """Show what became of an order: its events, what the groups did with them, saga, stock movements, mails.

    Reads the records of the services and the few messages around the times that these name. --since matters for a
    trace id only: its events are searched from then on (default: the last hour). Shows no names, no addresses, and
    nothing of what mails say.

    Exits with 0 if there is something, 1 if nothing is known of it, 2 if it could not be read.

    Examples:

        shop trace 01a204d0-bc01-74c0-bf12-3bded8300828
        shop trace 4bf92f3577b34da6a3ce929d0e0e4736 --since 2h
        shop trace ada@example.com --json | jq '.mails[].state'
    """
    wanted, start = parse_key(key), since or datetime.now(UTC) - RECENT
    async with open_search(shop.platform.brokers, shop.platform.kafka_prefix, seconds) as search:
        found = await trace(Ledgers(shop.rest), search, wanted, start)
    if found is None:
        typer.echo("nothing is known of it", err=True)
        raise typer.Exit(FINDINGS)
    if as_json:
        show.print_json(found.as_json())
    else:
        show.screen().print(tree(found), soft_wrap=True)
