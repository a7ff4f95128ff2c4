"""The command line for operators."""

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
from ops.audit import AuditError, Report, audit
from ops.platform import Account, Platform, Session, local_platform, with_overrides

FINDINGS, FAILED = 1, 2
"""Exit statuses: the audit has findings, or the platform could not be audited."""

app = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode="markdown"
)


def main() -> None:
    """Run the command line; a bug in it must not exit with the status for findings."""
    try:
        app(prog_name="shop")
    except Exception:  # noqa: BLE001 - the edge of the program
        traceback.print_exc()
        sys.exit(FAILED)


@app.callback()
def shop() -> None:
    """Operate a running shop."""


@app.command("audit")
def audit_command(
    customer_url: Annotated[str | None, typer.Option(envvar="CUSTOMER_URL", help="Base URL of customer_svc.")] = None,
    product_url: Annotated[str | None, typer.Option(envvar="PRODUCT_URL", help="Base URL of product_svc.")] = None,
    order_url: Annotated[str | None, typer.Option(envvar="ORDER_URL", help="Base URL of order_svc.")] = None,
    notifier_url: Annotated[str | None, typer.Option(envvar="NOTIFIER_URL", help="Base URL of notifier_svc.")] = None,
    kafka: Annotated[
        str | None, typer.Option(envvar="KAFKA_BOOTSTRAP_SERVERS", metavar="HOST:PORT", help="Kafka brokers.")
    ] = None,
    kafka_prefix: Annotated[
        str | None, typer.Option(envvar="KAFKA_PREFIX", help="Prefix of every topic name.")
    ] = None,
    email: Annotated[
        str | None,
        typer.Option(envvar="OPS_EMAIL", help="An account with the role ops; its password is OPS_PASSWORD."),
    ] = None,
    home: Annotated[
        Path | None, typer.Option(envvar="SHOP_HOME", help="Directory of `make run` (default .local).")
    ] = None,
    settle: Annotated[
        float, typer.Option(min=0, help="Ignore differences between services that are newer than this, in seconds.")
    ] = 10.0,
    deadline: Annotated[
        float, typer.Option(min=0, envvar="ORDER_DEADLINE_SECONDS", help="Seconds for which an order may be PENDING.")
    ] = 600.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as one JSON document.")] = False,
) -> None:
    """Check that everything adds up: stock, orders, reservations, events, mails.

    Reads the ops API of every service (role ops) and all event topics. Changes nothing, and can be run at any time,
    also under load: differences between services that are newer than --settle seconds are ignored. Without options
    it audits the shop that `make run` has started here.

    Exits with 0 if everything adds up, 1 if there are findings, 2 if the shop could not be audited.
    """
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    options = {"customer": customer_url, "product": product_url, "order": order_url, "notifier": notifier_url}
    options |= {"kafka": kafka, "kafka_prefix": kafka_prefix}
    started = time.monotonic()
    try:
        platform = _platform(options, home, email)
        report = _audit(platform, settle, deadline)
    except AuditError as error:
        typer.echo(f"cannot audit: {error}", err=True)
        raise typer.Exit(FAILED) from error
    if as_json:
        typer.echo(show.as_json(report))
    else:
        show.print_report(Console(highlight=False), report, time.monotonic() - started)
    raise typer.Exit(0 if report.ok else FINDINGS)


def _platform(options: dict[str, str | None], home: Path | None, email: str | None) -> Platform:
    if options["customer"]:
        platform = with_overrides(None, options)
    else:
        local = home or Path(__file__).parents[1] / ".local"
        platform = with_overrides(local_platform(local.expanduser().absolute()), options)
    if email:
        platform = Platform(platform.shop, Account(email, os.environ.get("OPS_PASSWORD", "")))
    if platform.account is None:
        raise AuditError("no account to log in with: set --email and OPS_PASSWORD")
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
