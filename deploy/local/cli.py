"""The command line of the quick start."""

import os
import sys
from typing import Annotated, NoReturn

import typer

from deploy.local.home import shop_home
from deploy.system import SYSTEM

PORTS = ", ".join(port.setting for port in SYSTEM.ports if port.setting)
SERVERS = ", ".join(server.setting for server in SYSTEM.servers)
SETTINGS = f"""SHOP_HOME (.local) holds data and logs, SHOP_CACHE what is downloaded once per machine.

These variables of the environment choose ports: {PORTS}.

These name a running server to use instead of a local one: {SERVERS}."""

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help=f"Run Shopstream on this machine, with real servers and without Docker.\n\n{SETTINGS}",
)


@app.command(epilog=SETTINGS)
def run(
    sample: Annotated[
        bool | None,
        typer.Option("--sample/--no-sample", help="Place another sample order, or none; else one per SHOP_HOME."),
    ] = None,
    once: Annotated[bool, typer.Option(envvar="SHOP_ONCE", help="Stop after that.")] = False,
) -> None:
    """Start the servers and the services, place or show a sample order, stay up until Ctrl-C."""
    from deploy.local.run import run

    _end(run(shop_home(), sample=sample, once=once))


@app.command(epilog=SETTINGS)
def servers(
    once: Annotated[bool, typer.Option(envvar="SHOP_ONCE", help="Stop when they are ready.")] = False,
) -> None:
    """Start only the servers: Kafka, PostgreSQL, MongoDB and the mail sink; print their URLs."""
    from deploy.local.run import run

    _end(run(shop_home(), services=False, once=once))


@app.command()
def clean() -> None:
    """Remove all data, logs and secrets in SHOP_HOME."""
    from deploy.local.clean import main

    main()


def _end(status: int) -> NoReturn:
    """End this process without the shutdown of the interpreter.

    When a run fails or is stopped, threads may still wait for a server or a download. The exit hooks of the libraries
    they are in would race with them, and print tracebacks below the one line that says what is wrong.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
