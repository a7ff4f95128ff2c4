"""The command line of the quick start."""

from typing import Annotated

import typer

from deploy.local.home import shop_home

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="""Run Shopstream on this machine, with real servers and without Docker.

    SHOP_HOME (.local) keeps data and logs, SHOP_CACHE what is fetched once per machine. CUSTOMER_PORT,
    PRODUCT_PORT, ORDER_PORT, NOTIFIER_PORT, MAIL_PORT, SMTP_PORT, KAFKA_PORT, POSTGRES_PORT and MONGO_PORT
    choose ports. KAFKA_BOOTSTRAP_SERVERS, POSTGRES_URL, MONGO_URL and SMTP_URL each replace a server by one
    that runs already.""",
)


@app.command()
def run(
    sample: Annotated[bool, typer.Option(help="Place a sample order and show its receipt.")] = True,
    once: Annotated[bool, typer.Option(envvar="SHOP_ONCE", help="Stop again after that.")] = False,
) -> None:
    """Start the servers and the services, place a sample order, stay up until Ctrl-C."""
    from deploy.local.run import run

    raise typer.Exit(run(shop_home(), sample=sample, once=once))


@app.command()
def servers(
    once: Annotated[bool, typer.Option(envvar="SHOP_ONCE", help="Stop again when they are ready.")] = False,
) -> None:
    """Start only the servers: Kafka, PostgreSQL, MongoDB and the mail sink; print their URLs."""
    from deploy.local.run import run

    raise typer.Exit(run(shop_home(), services=False, once=once))


@app.command()
def clean() -> None:
    """Remove all data, logs and secrets of this SHOP_HOME."""
    from deploy.local.clean import main

    main()
