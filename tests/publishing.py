"""Puts messages on the topics of a platform, past its services."""

from collections.abc import Sequence

from aiokafka import AIOKafkaProducer

from schemas import Message
from tests.stack import Stack


def prefix(shop: Stack) -> str:
    """What the names of a platform's topics begin with."""
    return shop.commands["order"].env["KAFKA_PREFIX"]


async def publish(shop: Stack, kafka: str, messages: Sequence[Message]) -> None:
    """Put messages on their topics, in order."""
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        for message in messages:
            headers = [(name, value.encode()) for name, value in message.headers.items()]
            await producer.send_and_wait(
                prefix(shop) + message.topic, message.value, key=message.key.encode(), headers=headers
            )
