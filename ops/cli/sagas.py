"""``shop sagas``: the orders that wait for a reply about their stock."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import typer

from ops.cli import show
from ops.cli.command import FINDINGS, Connection, new_group, on_platform
from ops.cli.options import AsJson, RequestId, Why
from ops.errors import CannotDo
from ops.rest import Refused

app = new_group("See and resolve orders that wait for a reply about their stock.")

Orders = Annotated[list[UUID], typer.Argument(metavar="ORDER…", help="The ids of the orders.")]


class State(StrEnum):
    """Which sagas to list."""

    WAITING = "waiting"
    STUCK = "stuck"


@app.command("list")
@on_platform("list the sagas")
async def list_sagas(
    shop: Connection,
    state: Annotated[State, typer.Option(help="stuck: only those that have waited longer than they should.")] = (
        State.WAITING
    ),
    limit: Annotated[int, typer.Option(min=1, help="Show the first so many.")] = 1000,
    as_json: AsJson = False,
) -> None:
    """List the orders that wait, and for how long.

    Many stuck sagas at once mean that product_svc does not consume order.events: see `shop lag`.

    Examples:

        shop sagas list
        shop sagas list --state stuck --json | jq -r '.[].order_id'
    """
    found: list[dict[str, Any]] = []
    async for saga in shop.rest.items("order", "/v1/sagas", state=state.value):
        found.append(saga)
        if len(found) == limit:
            break
    if as_json:
        show.print_json(found)
        return
    table = show.new_table(
        "order", "state", "step", "revision", "asked", "waits", right=("revision", "asked", "waits")
    )
    for saga in found:
        waits = f"{saga['seconds']:,.0f} s"
        row = [saga[name] for name in ("order_id", "order_state", "step", "revision", "asked")]
        show.add_row(table, *row, waits)
    show.screen().print(table if found else f"no saga is {state.value}")


@app.command("retry")
@on_platform("retry a saga")
async def retry(shop: Connection, orders: Orders, why: Why, request_id: RequestId, as_json: AsJson = False) -> None:
    """Request the stock of orders once more, with a new deadline.

    product_svc repeats a reply that it has already given. Exits with 1 if this is not possible for all of the orders.

    Examples:

        shop sagas retry 01a204d0-bc01-74c0-bf12-3bded8300828 --why "product_svc was down"
    """
    await _resolve(shop, "retry", orders, why, request_id, as_json)


@app.command("cancel")
@on_platform("cancel a saga")
async def cancel(shop: Connection, orders: Orders, why: Why, request_id: RequestId, as_json: AsJson = False) -> None:
    """Do now what the deadline would do: cancel the order, or withdraw its amendment.

    Exits with 1 if this is not possible for all of the orders.

    Examples:

        shop sagas cancel 01a204d0-bc01-74c0-bf12-3bded8300828 --why "the customer called"
    """
    await _resolve(shop, "cancel", orders, why, request_id, as_json)


async def _resolve(
    shop: Connection, action: str, orders: Sequence[UUID], why: str, request_id: str, as_json: bool
) -> None:
    """Resolve the sagas one by one; those that are refused do not keep the others from it."""
    results = [await _resolved(shop, action, order, why, request_id) for order in orders]
    refused = [one for one in results if one["error"]]
    if len(results) == len(refused) == 1:
        raise CannotDo(refused[0]["error"])
    if as_json:
        show.print_json(results)
    else:
        table = show.new_table("order", "state", "")
        for one in results:
            show.add_row(table, one["order_id"], one["state"], one["error"] or "")
        show.screen().print(table)
    raise typer.Exit(FINDINGS if refused else 0)


async def _resolved(shop: Connection, action: str, order: UUID, why: str, request_id: str) -> dict[str, Any]:
    try:
        path = f"/v1/sagas/{order}/resolve"
        answer = await shop.rest.post("order", path, {"action": action, "why": why}, key=request_id)
    except Refused as error:
        return {"order_id": str(order), "state": None, "error": str(error)}
    return {"order_id": str(order), "state": answer["state"], "error": None}
