"""Create the Kafka topics of the system map: those of the events, and one for the dead letters of each service.

``python -m deploy.topics`` reads KAFKA_BOOTSTRAP_SERVERS and KAFKA_PREFIX; see ``--help``. Topics that exist are left
as they are.
"""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from chassis.messaging.brokers import Brokers, client_options, with_password
from deploy.access import apply_grants
from deploy.system import SYSTEM


async def create_topics(
    bootstrap_servers: str, prefix: str = "", partitions: int | None = None, replication: int = 1
) -> list[str]:
    """Create the missing topics and return their names; raise ``KafkaError`` if Kafka refuses.

    ``partitions`` replaces the number that the system map gives for each topic.
    """
    client = AIOKafkaAdminClient(**client_options(bootstrap_servers))
    await client.start()
    try:
        existing = set(await client.list_topics())
        missing = [topic for topic in _topics(prefix, partitions, replication) if topic.name not in existing]
        response = await client.create_topics(missing) if missing else None
        return _created(response.topic_errors) if response else []
    finally:
        await client.close()


def _topics(prefix: str, partitions: int | None, replication: int) -> list[NewTopic]:
    return [
        NewTopic(
            prefix + topic.name,
            partitions or topic.partitions,
            replication,
            topic_configs={
                "retention.ms": str(topic.retention_ms),
                # One copy may be lost, or late, while events are published.
                "min.insync.replicas": str(max(1, replication - 1)),
            },
        )
        for topic in SYSTEM.topics
    ]


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


def main(
    bootstrap_servers: Annotated[
        str, typer.Option(envvar="KAFKA_BOOTSTRAP_SERVERS", help="Where Kafka is: host:port[,host:port].")
    ] = "127.0.0.1:9092",
    prefix: Annotated[str, typer.Option(envvar="KAFKA_PREFIX", help="Precedes the name of every topic.")] = "",
    partitions: Annotated[
        int | None, typer.Option(min=1, help="Partitions of each topic, instead of those of the system map.")
    ] = None,
    replication: Annotated[
        int, typer.Option(envvar="KAFKA_REPLICATION", min=1, help="Copies of each partition.")
    ] = 1,
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
) -> None:
    """Create the topics of Shopstream that do not exist yet."""
    try:
        password = password_file.read_text().strip() if password_file else ""
        bootstrap_servers = with_password(bootstrap_servers, password, "KAFKA_PASSWORD_FILE")
        if grant:
            asyncio.run(apply_grants(bootstrap_servers, SYSTEM, prefix))
        created = asyncio.run(create_topics(bootstrap_servers, prefix, partitions, replication))
    except (KafkaError, OSError, ValueError) as error:
        # Without the password.
        typer.echo(f"cannot create topics on {Brokers.parse(bootstrap_servers).servers}: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"created {', '.join(created)}" if created else "all topics exist")


if __name__ == "__main__":
    typer.run(main)
