"""MongoDB while it is starting."""

import asyncio
from pathlib import Path

import pytest

from chassis.persistence.errors import DatabaseUnavailable
from chassis.persistence.mongo.database import Mongo
from deploy.local.mongo import Mongo as Server


async def test_connections_from_before_the_server_was_the_primary_are_not_kept(tmp_path: Path) -> None:
    server = Server(tmp_path)
    await asyncio.to_thread(server.prepare)
    server.start()
    mongo = Mongo(server.url.replace("?replicaSet=rs0", "shop?directConnection=true"))
    try:
        async with asyncio.timeout(60):
            with pytest.raises(DatabaseUnavailable, match="not the primary"):
                await _look(mongo)
            with pytest.raises(DatabaseUnavailable, match="not the primary"):
                async with mongo.snapshot() as snapshot:
                    await snapshot.outbox_size()
            await asyncio.to_thread(server.ready)
            await _look(mongo)
    finally:
        await mongo.close()
        await asyncio.to_thread(server.stop, 10)


async def _look(mongo: Mongo) -> None:
    async with mongo.transaction() as tx:
        await tx.find("anything", {}).documents()
