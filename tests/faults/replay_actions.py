"""What the cells of the matrix do to replays while they run."""

import asyncio
import signal
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.faults.fault_actions import Action
from tests.faults.world import PATIENCE, World
from tests.ops_jobs import letters, move_offsets_to_the_end, patch, planned, post, redriven, settled
from tests.stack import OPS, eventually

LOST_SECONDS = 3.0
"""For how long events are lost to a group."""
AWAY_SECONDS = 6.0
UNREAD = timedelta(minutes=1)
"""How far back the group may have been behind when its process was stopped: what it had not read is lost too."""
TOPICS = {
    "notifier": ("customer.events", "order.events", "stock.events"),
    "product": ("order.events", "erasure.events"),
    "order": ("customer.events", "product.events", "stock.events", "notification.events"),
}


def killed_at_every_point(service: str) -> Action:
    """Lose events of a group; its event process is killed at each point of the replay that brings them."""

    async def action(world: World) -> None:
        worker, began = f"{service}-worker", datetime.now(UTC) - UNREAD
        who = await _lose(world, service)
        await world.doom(worker, "replay.planned.before")
        # As ops do, who know when it happened: a plan of all topics takes longer the longer the platform has run.
        job = await post(world.shop, who, service, "replays", {"since": began.isoformat()})
        await world.died(worker)
        await world.doom(worker, "replay.commit.before")
        await settled(world.shop, who, service, f"replays/{job['id']}", "planning")
        await _start(world, who, service, job["id"])
        await world.died(worker)
        await world.doom(worker, "replay.commit.after")
        await world.died(worker)
        await patch(world.shop, who, service, job["id"], {"rate": 0})
        await world.doom(worker, "replay.done.before")
        await world.died(worker)
        await world.shop.start(worker)
        await _finish(world, who, service, job["id"])

    return action


def while_away(service: str, server: str) -> Action:
    """Lose events of a group, and kill a server while they are replayed."""

    async def action(world: World) -> None:
        who = await _lose(world, service)
        plan = await planned(world.shop, who, service)
        await _start(world, who, service, plan["id"], rate=20)
        await asyncio.sleep(1)
        await world.crash(server)
        await asyncio.sleep(AWAY_SECONDS)
        await world.revive(server)
        await _finish(world, who, service, plan["id"])

    return action


async def _lose(world: World, service: str) -> dict[str, str]:
    """Move the offsets of a group past what was published while its process was away; return the headers of ops."""
    await world.kill(f"{service}-worker", number=signal.SIGTERM)
    await asyncio.sleep(LOST_SECONDS)
    kafka = world.servers["kafka"].url
    await move_offsets_to_the_end(world.shop, kafka, f"{service}_svc", TOPICS[service])
    await world.shop.start(f"{service}-worker")
    return await world.shop.log_in(*OPS)


async def _start(world: World, who: dict[str, str], service: str, job_id: str, rate: float = 50) -> None:
    change: dict[str, Any] = {"state": "running", "rate": rate}
    if (await world.shop.read(service, f"/v1/ops/replays/{job_id}", who))["state"] == "planned":
        change["mails"] = "send"
    await patch(world.shop, who, service, job_id, change)


async def _finish(world: World, who: dict[str, str], service: str, job_id: str) -> None:
    async def unlimited() -> bool:
        status, _ = await patch(world.shop, who, service, job_id, {"rate": 0})
        return bool(status != 503)

    await eventually(unlimited, PATIENCE, "the rate to be lifted", pause=0.5)
    job = await settled(world.shop, who, service, f"replays/{job_id}", "running")
    assert job["state"] == "done", job
    assert job["equal"], job
    world.done["events replayed"] += job["done"]["brought"]
    # A profile, say, that changed while the registration before it was lost.
    if await letters(world.shop, who, service):
        redrive = await redriven(world.shop, who, service)
        assert (redrive["state"], redrive["failed"], redrive["skipped"]) == ("done", 0, 0), redrive
        world.done["letters redriven"] += redrive["brought"]
