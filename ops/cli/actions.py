"""``shop actions``."""

import asyncio
from datetime import datetime
from typing import Annotated, Any

import typer

from ops.cli import show
from ops.cli.command import Connection, on_platform
from ops.cli.options import AsJson, GroupFilter, Since
from ops.platform import GROUPS, SERVICES
from ops.rest import PAGE


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("actions")(actions)


@on_platform("list the actions")
async def actions(
    shop: Connection,
    group: GroupFilter = None,
    since: Since = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Show the last so many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List what operators have done: when, who, what, and why.

    Each service keeps what was done in it; the list shows all of them by time, the last one at the end.

    Examples:

        shop actions --since 1d
        shop actions --group notifier_svc --json | jq '.[] | select(.action == "letter.reveal")'
    """
    services = [GROUPS[group]] if group else SERVICES
    lists = await asyncio.gather(*(_actions(shop, service, since, limit) for service in services))
    found = sorted((one for part in lists for one in part), key=lambda one: datetime.fromisoformat(one["at"]))[
        -limit:
    ]
    if as_json:
        show.print_json(found)
        return
    table = show.new_table("at (UTC)", "service", "who", "action", "subject", "why")
    for one in found:
        at = datetime.fromisoformat(one["at"])
        show.add_row(table, at, one["service"], one["who"], one["action"], one["subject"], one["why"])
    show.screen().print(table if found else "no actions")


async def _actions(shop: Connection, service: str, since: datetime | None, limit: int) -> list[dict[str, Any]]:
    """The last actions in a service. The list begins with the newest, so it is read as far as it matters."""
    last: list[dict[str, Any]] = []
    async for action in shop.rest.items(service, "/v1/ops/actions", limit=min(limit, PAGE)):
        if since is not None and datetime.fromisoformat(action["at"]) < since:
            break
        last.append({"service": f"{service}_svc", **action})
        if len(last) == limit:
            break
    return last
