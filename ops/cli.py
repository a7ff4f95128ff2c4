"""The command line of those who run the shop."""

import asyncio
import logging
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ops import show
from ops.audit import CannotAudit, Report, audit
from ops.platform import Account, Platform, Session, elsewhere, local_platform

FOUND, CANNOT = 1, 2
"""Exit statuses: something is wrong with the shop, or it could not be looked at."""

app = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode="markdown"
)


def main() -> None:
    """Run the command line. A mistake of its own must not look like a finding."""
    try:
        app(prog_name="shop")
    except Exception:  # noqa: BLE001 - the edge of the program
        traceback.print_exc()
        sys.exit(CANNOT)


@app.callback()
def shop() -> None:
    """Look after a running shop."""


@app.command("audit")
def audit_command(
    customer_url: Annotated[str | None, typer.Option(envvar="CUSTOMER_URL", help="Base URL of customer_svc.")] = None,
    product_url: Annotated[str | None, typer.Option(envvar="PRODUCT_URL", help="Base URL of product_svc.")] = None,
    order_url: Annotated[str | None, typer.Option(envvar="ORDER_URL", help="Base URL of order_svc.")] = None,
    notifier_url: Annotated[str | None, typer.Option(envvar="NOTIFIER_URL", help="Base URL of notifier_svc.")] = None,
    kafka: Annotated[
        str | None, typer.Option(envvar="KAFKA_BOOTSTRAP_SERVERS", metavar="HOST:PORT", help="Kafka.")
    ] = None,
    kafka_prefix: Annotated[
        str | None, typer.Option(envvar="KAFKA_PREFIX", help="What stands before every topic's name.")
    ] = None,
    email: Annotated[
        str | None,
        typer.Option(envvar="OPS_EMAIL", help="An account with the role ops; its password is OPS_PASSWORD."),
    ] = None,
    home: Annotated[
        Path | None, typer.Option(envvar="SHOP_HOME", help="Where `make run` keeps its records (default .local).")
    ] = None,
    settle: Annotated[
        float, typer.Option(min=0, help="Seconds in which services may still be telling each other.")
    ] = 10.0,
    deadline: Annotated[
        float, typer.Option(min=0, envvar="ORDER_DEADLINE_SECONDS", help="Seconds an order may be PENDING.")
    ] = 600.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead.")] = False,
) -> None:
    """Check that everything adds up: stock, orders, reservations, events, mails.

    Reads what every service says of itself (role ops) and all event topics, changes nothing, and can be run
    at any time, also under load: what changed within the last --settle seconds is not held against another
    service yet. Without options it audits the shop that `make run` has started here.

    Ends with 0 if everything adds up, 1 if something does not, 2 if the shop could not be audited.
    """
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    options = {"customer": customer_url, "product": product_url, "order": order_url, "notifier": notifier_url}
    options |= {"kafka": kafka, "kafka_prefix": kafka_prefix}
    began = time.monotonic()
    try:
        platform = _platform(options, home, email)
        report = _audit(platform, settle, deadline)
    except CannotAudit as error:
        typer.echo(f"cannot audit: {error}", err=True)
        raise typer.Exit(CANNOT) from error
    if as_json:
        typer.echo(show.as_json(report))
    else:
        show.for_people(Console(highlight=False), report, time.monotonic() - began)
    raise typer.Exit(0 if report.ok else FOUND)


def _platform(options: dict[str, str | None], home: Path | None, email: str | None) -> Platform:
    if options["customer"]:
        platform = elsewhere(None, options)
    else:
        local = home or Path(__file__).parents[1] / ".local"
        platform = elsewhere(local_platform(local.expanduser().absolute()), options)
    if email:
        platform = Platform(platform.shop, Account(email, os.environ.get("OPS_PASSWORD", "")))
    if platform.account is None:
        raise CannotAudit("nobody to log in as: give --email, and the password in OPS_PASSWORD")
    return platform


def _audit(platform: Platform, settle: float, deadline: float) -> Report:
    assert platform.account is not None
    session = Session(platform.shop.customer, platform.account)
    with show.progress(Console(stderr=True)) as progress:
        return asyncio.run(
            audit(
                platform.shop,
                session.headers,
                settle_seconds=settle,
                deadline_seconds=deadline,
                progress=progress,
            )
        )
