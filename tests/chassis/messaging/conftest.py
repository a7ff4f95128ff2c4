"""Topics for the tests of the relay."""

from uuid import uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.servers import Servers


@pytest.fixture
async def prefix(servers: Servers) -> str:
    made = f"r{uuid4().hex[:8]}."
    admin = AIOKafkaAdminClient(bootstrap_servers=servers.kafka)
    await admin.start()
    await admin.create_topics([NewTopic(f"{made}stock.events", 3, 1)])
    await admin.close()
    return made
