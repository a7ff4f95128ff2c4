"""``shop audit``: its findings, and how it finds the shop."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete
from uuid_utils.compat import uuid7

from chassis.messaging.dead_letters import DeadLetter
from chassis.testing import enveloped, record
from deploy.local.ports import free_port
from ops.cli import main
from ops.platform import Platform
from schemas import OrderPlaced, golden
from tests.ops.cli.program import EMAIL, PASSWORD, assert_failed, inherited, location, run
from tests.ops.world import World


async def test_without_findings_the_exit_status_is_0(world: World) -> None:
    await world.confirmed()
    env = {name: value for name, value in os.environ.items() if name not in inherited()} | location(world)
    command, pipe = (sys.executable, "-m", "ops", "audit", "--settle", "0"), asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, env=env, stdout=pipe, stderr=pipe)
    out, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
    assert "everything adds up" in out.decode()


async def test_the_shop_of_make_run_is_found_by_its_record(world: World, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text(PASSWORD)
    topics = {"kafka": world.servers.kafka, "kafka_prefix": world.prefix}
    record = {
        "state": "up",
        "processes": {name: {"url": url, "pid": 1, "log": None} for name, url in world.urls.items()},
        "ops": {"email": EMAIL, "password_file": str(password), **topics},
    }
    (tmp_path / "run.json").write_text(json.dumps(record))
    assert (await run("audit", "--settle", "0", "--home", str(tmp_path))).status == 0
    (tmp_path / "run.json").write_text(json.dumps(record | {"state": "stopped"}))
    stopped = await run("audit", SHOP_HOME=str(tmp_path))
    assert (stopped.status, stopped.err.count("\n")) == (2, 1)
    assert "is stopped, not up" in stopped.err


@pytest.mark.parametrize("service", ["customer", "product", "order", "notifier"])
async def test_an_unreachable_service_is_named(world: World, service: str) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    result = await run("audit", **location(world, **{f"{service.upper()}_URL": url}))
    assert_failed(result, "cannot audit: ", service, url)


async def test_an_unreachable_broker_is_named(world: World) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    assert_failed(await run("audit", **location(world, KAFKA_BOOTSTRAP_SERVERS=nowhere)), "kafka", nowhere)


async def test_missing_topics_are_named(world: World) -> None:
    assert_failed(await run("audit", **location(world, KAFKA_PREFIX="unknown.")), "kafka", "unknown.order.events")


async def test_a_failed_login_is_named(world: World) -> None:
    assert_failed(await run("audit", **location(world, OPS_PASSWORD="another password")), "customer", "failed: 401")


@pytest.mark.parametrize("missing", ["PRODUCT_URL", "OPS_EMAIL"])
async def test_a_missing_option_is_an_error(world: World, missing: str) -> None:
    env = {name: value for name, value in location(world).items() if name != missing}
    assert_failed(await run("audit", **env), f"set --{missing.lower().replace('_', '-').removeprefix('ops-')}")


async def test_a_truncated_topic_is_checked_from_its_first_message_on(world: World) -> None:
    order_id = await world.confirmed()
    await world.cancelled(order_id)
    await world.flow()
    await truncate(world, "order.events")
    report = await world.audit()
    assert report.findings == []
    assert [note.partition(" ")[0] for note in report.notes] == ["order.events"]


async def test_with_findings_the_exit_status_is_1_and_json_lists_them(world: World) -> None:
    sku = await world.product()
    await world.products.db.stock.update_one({"_id": sku}, {"$inc": {"on_hand": 1}})
    stored = record(enveloped(golden.example(OrderPlaced)))
    lost = DeadLetter(uuid7(), "customer_svc", "dead", stored.stream, stored, "why", "x", "f")
    async with world.customers.transaction() as tx:
        await world.customers.dead_letters.add(tx, [lost])
    await world.flow()
    result = await run("audit", "--settle", "0", "--json", **location(world))
    assert result.status == 1
    report = json.loads(result.out)
    assert report["ok"] is False
    found: list[Mapping[str, str]] = report["findings"]
    assert [(one["check"], one["subject"]) for one in found] == [
        ("stock_mismatch", sku),
        ("dead_letter", lost.record.stream),
    ]
    assert report["counts"]["dead_letters"] == 1
    shown = await run("audit", "--settle", "0", **location(world))
    assert shown.status == 1
    assert sku in shown.out


async def truncate(world: World, topic: str) -> None:
    """Have the broker remove the oldest message of each partition, as retention would."""
    partitions = [TopicPartition(world.prefix + topic, number) for number in range(2)]
    async with AIOKafkaConsumer(bootstrap_servers=world.servers.kafka) as consumer:
        ends = await consumer.end_offsets(partitions)
    admin = AIOKafkaAdminClient(bootstrap_servers=world.servers.kafka)
    await admin.start()
    try:
        await admin.delete_records({partition: RecordsToDelete(1) for partition, end in ends.items() if end})
    finally:
        await admin.close()


def test_a_bug_in_the_audit_does_not_look_like_a_finding(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing(*_: object) -> Platform:
        raise ZeroDivisionError

    monkeypatch.setattr("ops.cli.command.find_platform", failing)
    monkeypatch.setattr(sys, "argv", ["shop", "audit"])
    with pytest.raises(SystemExit) as exited:
        main()
    assert exited.value.code == 2
    assert "ZeroDivisionError" in capsys.readouterr().err
