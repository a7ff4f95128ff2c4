"""Create the Kafka topics of the system map: those of the events, and one for the dead letters of each service.

``python -m deploy.topics`` reads KAFKA_BOOTSTRAP_SERVERS, KAFKA_PREFIX and more; see ``--help``. Topics that exist
are left as they are, and checked: what keeps events less well than the settings say is named, and the status is 1.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, UnknownTopicOrPartitionError, for_code

from chassis.messaging.brokers import Brokers, client_options, with_password
from chassis.runtime.production import check_brokers
from chassis.runtime.retry import backoff
from chassis.runtime.settings import EX_CONFIG
from deploy.access import apply_grants
from deploy.system import SYSTEM
from deploy.topic_layout import Layout, differences

TOPICS_SECONDS = 60.0
"""So long the brokers may take to create topics, and to say how they are stored."""


async def create_topics(
    bootstrap_servers: str, prefix: str = "", partitions: int | None = None, replication: int = 1
) -> list[str]:
    """Create the missing topics and return their names; raise ``KafkaError`` if Kafka refuses.

    ``partitions`` replaces the number that the system map gives for each topic.
    """
    async with _administrator(bootstrap_servers) as client:
        return await _create_missing(client, prefix, Layout(partitions, replication))


async def create_and_check(bootstrap_servers: str, prefix: str, layout: Layout) -> tuple[list[str], list[str]]:
    """Create the missing topics; return their names, and in which ways the others are not as wanted."""
    pauses = backoff(0.05, 0.5)
    async with _administrator(bootstrap_servers) as client, asyncio.timeout(TOPICS_SECONDS):
        created = await _create_missing(client, prefix, layout)
        existing = [topic for topic in SYSTEM.topics if prefix + topic.name not in created]
        while True:
            try:
                return created, await differences(client, existing, prefix, layout)
            except UnknownTopicOrPartitionError:
                # Another run has made it a moment ago, and this broker does not know it yet.
                await asyncio.sleep(next(pauses))


@asynccontextmanager
async def _administrator(bootstrap_servers: str) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(**client_options(bootstrap_servers))
    try:
        await client.start()
        yield client
    finally:
        await client.close()


async def _create_missing(client: AIOKafkaAdminClient, prefix: str, layout: Layout) -> list[str]:
    existing = set(await client.list_topics())
    missing = [layout.new_topic(topic, prefix) for topic in SYSTEM.topics if prefix + topic.name not in existing]
    response = await client.create_topics(missing) if missing else None
    return _created(response.topic_errors) if response else []


def _created(results: Iterable[tuple[str, int, str | None]]) -> list[str]:
    """Return the created topics; raise the first error, but for topics that another run created meanwhile."""
    created = []
    for topic, code, message in results:
        error = for_code(code)
        if not code:
            created.append(topic)
        elif error is not TopicAlreadyExistsError:
            raise error(f"{topic}: {message}")
    return created


def _fail(bootstrap_servers: str, error: Exception, status: int) -> NoReturn:
    # Without the password.
    typer.echo(f"cannot create topics on {Brokers.parse(bootstrap_servers).servers}: {error}", err=True)
    raise typer.Exit(status) from error


def main(
    bootstrap_servers: Annotated[
        str, typer.Option(envvar="KAFKA_BOOTSTRAP_SERVERS", help="Where Kafka is: host:port[,host:port].")
    ] = "127.0.0.1:9092",
    prefix: Annotated[str, typer.Option(envvar="KAFKA_PREFIX", help="Precedes the name of every topic.")] = "",
    partitions: Annotated[
        int | None,
        typer.Option(
            envvar="KAFKA_PARTITIONS", min=1, help="Partitions of each topic, instead of those of the system map."
        ),
    ] = None,
    replication: Annotated[
        int, typer.Option(envvar="KAFKA_REPLICATION", min=1, help="Copies of each partition.")
    ] = 1,
    min_insync: Annotated[
        int | None,
        typer.Option(
            envvar="KAFKA_MIN_INSYNC_REPLICAS", min=1, help="Copies that confirm an event: by default all but one."
        ),
    ] = None,
    grant: Annotated[
        bool,
        typer.Option(
            "--grant",
            envvar="KAFKA_GRANT",
            help="Grant each service, and ops, what it needs, on brokers with users.",
        ),
    ] = False,
    password_file: Annotated[
        Path | None, typer.Option(envvar="KAFKA_PASSWORD_FILE", help="File with the password, if the URL has none.")
    ] = None,
    shop_env: Annotated[
        Literal["development", "production"],
        typer.Option(envvar="SHOP_ENV", help="The kind of installation: a production needs two copies or more."),
    ] = "development",
) -> None:
    """Create the topics of Shopstream that do not exist yet, and check the others."""
    layout, production = Layout(partitions, replication, min_insync), shop_env == "production"
    try:
        layout.check(production=production)
        password = password_file.read_text().strip() if password_file else ""
        bootstrap_servers = with_password(bootstrap_servers, password, "KAFKA_PASSWORD_FILE")
        if production:
            check_brokers(bootstrap_servers)
    except (OSError, ValueError) as error:
        _fail(bootstrap_servers, error, EX_CONFIG)
    try:
        if grant:
            asyncio.run(apply_grants(bootstrap_servers, SYSTEM, prefix))
        created, found = asyncio.run(create_and_check(bootstrap_servers, prefix, layout))
    except (KafkaError, OSError) as error:
        _fail(bootstrap_servers, error, 1)
    typer.echo(f"created {', '.join(created)}" if created else "all topics exist")
    for one in found:
        typer.echo(one, err=True)
    if found:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
