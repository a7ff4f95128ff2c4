"""Who may do what on Kafka: rules that follow from the system map, and nothing besides.

Every service is a principal of its own. It writes the topics that it publishes on and reads those that it consumes,
in its own consumer group; replays and rebuilds also read who was erased. ``ops`` reads everything, for the audit and
the traces, and writes nothing.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code
from aiokafka.protocol.admin import CreateAclsRequest

from chassis.messaging.brokers import client_options
from deploy.resources import Service, System
from schemas.topics import CUSTOMER_EVENTS

OPS = "ops"

# The codes of Kafka's protocol (org.apache.kafka.common.acl and .resource).
ALLOW, LITERAL, PREFIXED = 3, 3, 4


class Resource(IntEnum):
    """Kinds of resources."""

    TOPIC = 2
    GROUP = 3


class Operation(IntEnum):
    """Operations. READ and WRITE include DESCRIBE."""

    READ = 3
    WRITE = 4
    DESCRIBE = 8


@dataclass(frozen=True)
class Grant:
    """A principal may do this to a resource; an empty name stands for everything that begins with the prefix."""

    principal: str
    operation: Operation
    resource: Resource
    name: str = ""


def principals(system: System) -> Sequence[str]:
    """Everybody who connects to Kafka, but for its administrator."""
    return [*(service.package for service in system.services), OPS]


def grants(system: System) -> Iterator[Grant]:
    """All that is allowed."""
    for service in system.services:
        yield from _grants_of(service)
    yield Grant(OPS, Operation.READ, Resource.TOPIC)
    yield Grant(OPS, Operation.DESCRIBE, Resource.GROUP)


def _grants_of(service: Service) -> Iterator[Grant]:
    for topic in (*service.publishes, service.dead_letter_topic):
        yield Grant(service.package, Operation.WRITE, Resource.TOPIC, topic)
    for topic in sorted({*service.consumes, CUSTOMER_EVENTS}):
        yield Grant(service.package, Operation.READ, Resource.TOPIC, topic)
    yield Grant(service.package, Operation.READ, Resource.GROUP, service.package)


async def apply_grants(bootstrap_servers: str, system: System, prefix: str) -> None:
    """Grant what is missing, as an administrator; raise ``KafkaError``. Grants that exist are left as they are."""
    client = AIOKafkaAdminClient(**client_options(bootstrap_servers))
    await client.start()
    try:
        # There is no public method for it in aiokafka 0.14.
        requests = [client._send_request(_request(grant, prefix)) for grant in grants(system)]
        for response in await asyncio.gather(*requests):
            for code, message in response.creation_responses:
                if code:
                    raise for_code(code)(message)
    finally:
        await client.close()


def _request(grant: Grant, prefix: str) -> CreateAclsRequest:
    pattern, name = LITERAL, prefix + grant.name
    if not grant.name:
        pattern, name = (PREFIXED, prefix) if prefix else (LITERAL, "*")
    return CreateAclsRequest(grant.resource, name, pattern, f"User:{grant.principal}", "*", grant.operation, ALLOW)
