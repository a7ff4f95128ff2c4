"""Create the Kafka topics: those of the events, and one dead-letter topic per service.

``python -m deploy.topics`` reads KAFKA_BOOTSTRAP_SERVERS and KAFKA_PREFIX; see ``--help``. Topics that are
there already stay as they are.
"""

import asyncio
from collections.abc import Iterable
from typing import Annotated

import typer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from schemas.topics import TOPICS

SERVICES = ("customer_svc", "product_svc", "order_svc", "notifier_svc")
DEAD_LETTERS = tuple(f"{service}.dlq" for service in SERVICES)
SETTINGS = {"retention.ms": "-1"}
"""Events are kept for good: replay and audit read them from the first."""


async def create_topics(
    bootstrap_servers: str, prefix: str = "", partitions: int = 6, replication: int = 1
) -> list[str]:
    """Create what is missing and return the names of what was created; raise ``KafkaError`` if refused."""
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await client.start()
    try:
        there = set(await client.list_topics())
        names = [prefix + name for name in (*TOPICS, *DEAD_LETTERS)]
        topics = [
            NewTopic(name, partitions, replication, topic_configs=SETTINGS) for name in names if name not in there
        ]
        response = await client.create_topics(topics) if topics else None
        return _created(response.topic_errors) if response else []
    finally:
        await client.close()


def _created(answers: Iterable[tuple[str, int, str | None]]) -> list[str]:
    """Return the created; raise the first error that is one. That somebody else was faster is none."""
    created = []
    for topic, code, message in answers:
        error = for_code(code)
        if not code:
            created.append(topic)
        elif error is not TopicAlreadyExistsError:
            raise error(f"{topic}: {message}")
    return created


def main(
    bootstrap_servers: Annotated[str, typer.Option(envvar="KAFKA_BOOTSTRAP_SERVERS")] = "127.0.0.1:9092",
    prefix: Annotated[str, typer.Option(envvar="KAFKA_PREFIX", help="Put before every topic's name.")] = "",
    partitions: Annotated[int, typer.Option(min=1)] = 6,
    replication: Annotated[int, typer.Option(min=1, help="Copies of each partition.")] = 1,
) -> None:
    """Create the topics of Shopstream that are missing."""
    try:
        created = asyncio.run(create_topics(bootstrap_servers, prefix, partitions, replication))
    except (KafkaError, OSError) as error:
        typer.echo(f"cannot create topics on {bootstrap_servers}: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"created: {', '.join(created)}" if created else "all topics are there")


if __name__ == "__main__":
    typer.run(main)
