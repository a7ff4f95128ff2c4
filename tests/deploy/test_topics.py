"""``python -m deploy.topics``: topics as the settings say; what is wrong with either is named."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
import typer
import yaml
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from chassis.runtime.settings import EX_CONFIG
from deploy.system import SYSTEM
from deploy.topic_layout import Layout
from deploy.topics import create_and_check, main
from tests.servers import Servers

ROOT = Path(__file__).parents[2]
SAFE = "SASL_SSL://admin:Wm3fJ7xQ0v1L@kafka:9093"


@pytest.fixture
async def admin(servers: Servers) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=servers.kafka)
    await client.start()
    yield client
    await client.close()


@pytest.mark.parametrize("content", [None, "\n"], ids=["not set", "empty"])
def test_a_password_that_is_missing_is_named_as_it_is_read(
    content: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "password"
    file.write_text(content or "")
    with pytest.raises(typer.Exit) as ended:
        main("SASL_SSL://admin@kafka:9093", password_file=None if content is None else file)
    assert ended.value.exit_code == EX_CONFIG
    said = "names a user without a password, and KAFKA_PASSWORD_FILE is not set or empty"
    assert capsys.readouterr().err == f"cannot create topics on kafka:9093: {said}\n"


@pytest.mark.parametrize(
    ("servers_given", "replication", "min_insync", "said"),
    [
        (SAFE, 1, None, "KAFKA_REPLICATION: one copy is lost with its disk"),
        (SAFE, 2, None, "KAFKA_MIN_INSYNC_REPLICAS: what one copy confirms is lost with its disk"),
        (SAFE, 3, 1, "KAFKA_MIN_INSYNC_REPLICAS: what one copy confirms is lost with its disk"),
        (SAFE, 3, 4, "KAFKA_MIN_INSYNC_REPLICAS: is more than KAFKA_REPLICATION"),
        ("kafka:9093", 3, 2, "has no user and password"),
        ("SASL_SSL://admin:development-only-kafka@kafka:9093", 3, 2, "its secret is one of an example"),
    ],
)
def test_a_production_that_could_lose_events_or_lets_in_everybody_is_refused(
    servers_given: str, replication: int, min_insync: int | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as ended:
        main(servers_given, replication=replication, min_insync=min_insync, shop_env="production")
    assert ended.value.exit_code == EX_CONFIG
    error = capsys.readouterr().err
    assert said in error
    assert "development-only" not in error


def test_all_copies_but_one_confirm_an_event_unless_a_setting_says_how_many() -> None:
    assert [Layout(replication=copies).confirming for copies in (1, 2, 3)] == [1, 1, 2]
    Layout(replication=3).check(production=True)
    Layout(replication=2, min_insync=2).check(production=True)
    topic = Layout(12, 3, 3).new_topic(SYSTEM.topics[0], "x.")
    assert (topic.num_partitions, topic.replication_factor) == (12, 3)
    assert topic.topic_configs == {"retention.ms": "-1", "min.insync.replicas": "3"}


def test_the_production_on_kubernetes_keeps_what_it_confirms() -> None:
    overlay = ROOT / "deploy" / "k8s" / "overlays" / "production"
    generated = yaml.safe_load((overlay / "kustomization.yaml").read_text())["configMapGenerator"]
    [literals] = [one["literals"] for one in generated if one["name"] == "topics-settings"]
    given = dict(line.split("=", 1) for line in literals)
    layout = Layout(None, int(given["KAFKA_REPLICATION"]), int(given["KAFKA_MIN_INSYNC_REPLICAS"]))
    layout.check(production=given["SHOP_ENV"] == "production")
    nodes, kafka = yaml.safe_load_all((overlay / "kafka.yaml").read_text())
    brokers = kafka["spec"]["kafka"]["config"]
    assert layout.replication == brokers["default.replication.factor"] <= nodes["spec"]["replicas"]
    assert layout.confirming == brokers["min.insync.replicas"] < layout.replication


async def test_topics_that_exist_are_checked_and_those_that_are_missing_are_created(
    servers: Servers, admin: AIOKafkaAdminClient
) -> None:
    prefix, (first, second, *rest) = f"t{uuid4().hex[:8]}.", SYSTEM.topics
    loses = {"retention.ms": "1000", "retention.bytes": "1000000", "cleanup.policy": "compact"}
    await admin.create_topics(
        [NewTopic(prefix + first.name, 2, 1, topic_configs=loses), NewTopic(prefix + second.name, 9, 1)]
    )
    created, found = await create_and_check(servers.kafka, prefix, Layout(partitions=3))
    assert set(created) == {prefix + topic.name for topic in rest}
    assert found == [
        f"{prefix}{first.name}: {problem}"
        for problem in (
            "2 partitions instead of 3",
            "cleanup.policy is compact: Kafka removes older events of the same key",
            "retention.ms is 1000 instead of -1: Kafka removes events",
            "retention.bytes is 1000000 instead of -1: Kafka removes events",
        )
    ]
    assert await create_and_check(servers.kafka, prefix, Layout(partitions=2)) == ([], found[1:])


async def test_topics_with_too_few_copies_for_a_production_are_named(servers: Servers) -> None:
    prefix = f"t{uuid4().hex[:8]}."
    await create_and_check(servers.kafka, prefix, Layout(partitions=1))
    _, found = await create_and_check(servers.kafka, prefix, Layout(partitions=1, replication=3))
    for problem in ("1 copies of a partition instead of 3", "min.insync.replicas is 1 instead of 2"):
        assert [one for one in found if one.endswith(problem)] == sorted(
            f"{prefix}{topic.name}: {problem}" for topic in SYSTEM.topics
        )


def test_what_differs_ends_the_job_with_status_1_and_is_left_as_it_is(
    servers: Servers, capsys: pytest.CaptureFixture[str]
) -> None:
    prefix = f"t{uuid4().hex[:8]}."
    main(servers.kafka, prefix, 1)
    for _ in range(2):
        with pytest.raises(typer.Exit) as ended:
            main(servers.kafka, prefix, 2)
        assert ended.value.exit_code == 1
        assert f"{prefix}order.events: 1 partitions instead of 2\n" in capsys.readouterr().err
    main(servers.kafka, prefix, 1)
