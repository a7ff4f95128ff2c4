"""Each local server starts, keeps its data over a SIGKILL and a change of its port, and stops."""

import os
import signal
import smtplib
import socket
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from deploy.addresses import as_owner, with_database
from deploy.local import mongo
from deploy.local.errors import PrerequisiteMissing, StartFailed
from deploy.local.external import ExternalServer
from deploy.local.kafka import Kafka
from deploy.local.mail import Mail
from deploy.local.mongo import Mongo, create_owner
from deploy.local.pid_files import fingerprint
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.postgres import Postgres, create_database
from deploy.local.server import LocalServer
from deploy.resources import Server
from deploy.system import KAFKA, MAIL, MONGO, POSTGRES, SYSTEM
from deploy.topics import create_topics

Make = Callable[[Callable[..., Any]], Any]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Make servers in a home of this test; they are stopped in the end."""
    made: list[LocalServer] = []

    def make(kind: Callable[..., Any]) -> Any:
        made.append(kind(tmp_path))
        return made[-1]

    yield make
    for server in made:
        server.stop()


def up(server: LocalServer) -> None:
    server.prepare()
    server.start()
    server.ready()


def kill(server: LocalServer) -> None:
    assert server.child
    server.child.signal(signal.SIGKILL)
    server.child.wait()


def test_postgres_keeps_its_data_over_a_kill_and_a_new_port(make: Make) -> None:
    first = make(Postgres)
    up(first)
    first.create_database("order_svc")
    first.create_database("order_svc")
    with psycopg.connect(first.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    kill(first)
    first.start()
    first.ready()
    first.stop()
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", "root:root", first.data], check=True)  # as after a copy
    second = make(Postgres)
    up(second)
    assert second.url != first.url
    with psycopg.connect(second.url) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchall() == [(42,)]
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
        assert connection.execute("SHOW listen_addresses").fetchone() == (LOOPBACK,)


def test_postgres_requires_the_password(make: Make) -> None:
    server = make(Postgres)
    up(server)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(f"postgresql://postgres:wrong@{LOOPBACK}:{server.port}/postgres")


def test_each_database_belongs_to_a_role_that_reaches_no_other(make: Make) -> None:
    server = make(Postgres)
    up(server)
    # As it was before services had roles: made and filled by the superuser.
    create_database(server.url, "order_svc")
    with psycopg.connect(with_database(server.url, "order_svc"), autocommit=True) as connection:
        connection.execute("CREATE TABLE orders (id int); CREATE SCHEMA kept; CREATE TABLE kept.rows (id int)")
    for name in ("order_svc", "customer_svc", "order_svc"):
        create_database(server.url, name, f"the password of {name}")
    own = as_owner(with_database(server.url, "order_svc"), "order_svc", "the%20password%20of%20order_svc")
    with psycopg.connect(own) as connection:
        connection.execute("ALTER TABLE orders ADD name text; INSERT INTO kept.rows VALUES (1); CREATE SCHEMA more")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE ROLE another SUPERUSER")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(with_database(own, "customer_svc"))


def test_mongo_lets_in_nobody_without_a_password_and_each_owner_into_its_own_database(make: Make) -> None:
    before = make(Mongo)
    up(before)
    with MongoClient[dict[str, Any]](before.url) as client:
        client.product_svc.kept.insert_one({"answer": 42})
    before.stop()
    port = int(before.url.partition("/?")[0].rpartition(":")[2])
    server = make(partial(Mongo, port=port, password="the-password"))
    up(server)
    create_owner(server.url, "product_svc", "first")
    create_owner(server.url, "product_svc", "its-own")
    address = server.url.rpartition("@")[2]
    with MongoClient[dict[str, Any]](f"mongodb://{address}") as nobody, pytest.raises(OperationFailure, match="auth"):
        nobody.product_svc.kept.find_one()
    own = as_owner(with_database(server.url, "product_svc"), "product_svc", "its-own")
    with MongoClient[dict[str, Any]](own) as owner:
        assert owner.product_svc.kept.count_documents({"answer": 42}) == 1
        with pytest.raises(OperationFailure, match="not authorized"):
            owner.admin.command("createUser", "another", pwd="x", roles=["root"])
        with pytest.raises(OperationFailure, match="not authorized"):
            owner.other.kept.find_one()


def test_postgres_starts_although_the_pid_in_its_lock_file_belongs_to_another_program(make: Make) -> None:
    server = make(Postgres)
    up(server)
    lock = server.data / "postmaster.pid"
    lines = lock.read_text().splitlines()
    kill(server)
    lock.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    server.start()
    server.ready()


def test_a_server_that_cannot_start_reports_the_reason(make: Make) -> None:
    server = make(Postgres)
    server.prepare()
    (server.data / "PG_VERSION").write_text("9.6\n")
    server.start()
    with pytest.raises(StartFailed, match=r"postgres ended with status 1, see .*postgres\.log") as failed:
        server.ready()
    assert "incompatible" in failed.value.detail


def test_mongo_keeps_its_data_over_a_kill_and_a_new_port(make: Make) -> None:
    first = make(Mongo)
    up(first)
    with (
        MongoClient[dict[str, Any]](first.url) as client,
        client.start_session() as session,
        session.start_transaction(),
    ):
        client.shop.kept.insert_one({"answer": 42}, session=session)
    kill(first)
    first.start()
    first.ready()
    kill(first)
    second = make(Mongo)
    up(second)
    assert second.url != first.url
    with MongoClient[dict[str, Any]](second.url) as client:
        assert client.shop.kept.count_documents({"answer": 42}) == 1
        options = client.admin.command("getCmdLineOpts")["parsed"]["net"]
        assert options["bindIp"] == LOOPBACK
        assert options["compression"]["compressors"] == "snappy"


def test_a_mongod_that_lacks_a_library_is_refused_with_what_to_do(tmp_path: Path, monkeypatch: Any) -> None:
    fake = tmp_path / "mongod"
    fake.write_text("#!/bin/sh\necho 'error while loading shared libraries: libcurl.so.4' >&2; exit 127\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    mongo.mongod.cache_clear()
    with pytest.raises(PrerequisiteMissing, match=r"libcurl\.so\.4.*apt install libcurl4.*MONGO_URL"):
        mongo.mongod()
    mongo.mongod.cache_clear()


def test_a_cluster_id_cannot_be_read_as_an_option(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.local.kafka.secrets.token_bytes", lambda count: b"\xf8" * count)
    make(Kafka).prepare()


async def test_kafka_keeps_its_data_over_a_kill_and_a_new_port(make: Make) -> None:
    first = make(Kafka)
    up(first)
    assert set(await create_topics(first.url, prefix="x.")) == {f"x.{topic.name}" for topic in SYSTEM.topics}
    assert await create_topics(first.url, prefix="x.") == []
    producer = AIOKafkaProducer(bootstrap_servers=first.url, enable_idempotence=True)
    await producer.start()
    await producer.send_and_wait("x.order.events", b"kept", partition=5)
    await producer.stop()
    kill(first)
    second = make(Kafka)
    up(second)
    assert second.url != first.url
    consumer = AIOKafkaConsumer(bootstrap_servers=second.url, auto_offset_reset="earliest")
    await consumer.start()
    consumer.assign([TopicPartition("x.order.events", 5)])
    assert (await consumer.getone()).value == b"kept"
    await consumer.stop()
    admin = AIOKafkaAdminClient(bootstrap_servers=second.url)
    await admin.start()
    assert "x.order_svc.dlq" in await admin.list_topics()
    await admin.close()
    assert "SLF4J" not in second.log.read_text()


def test_acknowledged_mail_survives_a_kill(make: Make) -> None:
    sink = make(Mail)
    up(sink)
    host, port = sink.url.removeprefix("smtp://").split(":")

    def send(number: int) -> None:
        with smtplib.SMTP(host, int(port)) as smtp:
            content = f"Message-ID: <{number}@shop>\r\nSubject: x\r\n\r\n.\r\n..\r\n{'long ' * 20000}\r\n"
            smtp.sendmail("shop@example.com", ["ada@example.com"], content)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, range(40)))
    kill(sink)
    sink.start()
    sink.ready()
    with httpx.Client(base_url=sink.page_url) as web:
        listed = web.get("/api/messages").json()
        assert {message["message_id"] for message in listed} == {f"<{number}@shop>" for number in range(40)}
        raw = web.get(f"/api/messages/{listed[0]['id']}/raw").text
        assert "\r\n\r\n.\r\n..\r\nlong long" in raw


def test_the_mail_sink_refuses_a_message_that_is_too_large_and_accepts_the_next(make: Make, monkeypatch: Any) -> None:
    sink = make(Mail)
    up(sink)
    host, port = sink.url.removeprefix("smtp://").split(":")
    with smtplib.SMTP(host, int(port)) as smtp:
        smtp.helo()  # so that the size is not announced beforehand
        huge = b"Subject: x\r\n\r\n" + (b"y" * 998 + b"\r\n") * (33 * 1024 + 1)
        with pytest.raises(smtplib.SMTPDataError, match="552"):
            smtp.sendmail("shop@example.com", ["ada@example.com"], huge)
        smtp.sendmail("shop@example.com", ["ada@example.com"], b"Subject: small\r\n\r\n")


def test_a_server_replaces_one_that_was_left_behind_and_ends_when_it_is_stopped(make: Make) -> None:
    left, server = make(Mail), make(Mail)
    up(left)
    assert left.child
    server.start()
    assert fingerprint(left.child.pid) is None
    server.ready()
    server.stop()
    assert server.pid is None


@pytest.mark.parametrize(
    ("server", "url"),
    [
        (KAFKA, "127.0.0.1:{}"),
        (POSTGRES, "postgresql://shop@127.0.0.1:{}/shop"),
        (MONGO, "mongodb://127.0.0.1:{}"),
        (MAIL, "smtp://127.0.0.1:{}"),
    ],
)
def test_an_external_server_that_does_not_respond_is_reported_with_its_setting(server: Server, url: str) -> None:
    with pytest.raises(PrerequisiteMissing, match=f"^{server.setting} is set, but") as refused:
        ExternalServer(server, url.format(free_port())).ready()
    assert "\n" not in str(refused.value)


def test_an_external_server_with_another_protocol_is_refused() -> None:
    def greet(server: socket.socket) -> None:
        with server.accept()[0] as client:
            client.sendall(b"220 this is a mail server\r\n")

    with socket.create_server((LOOPBACK, 0)) as other, ThreadPoolExecutor(1) as pool:
        pool.submit(greet, other)
        url = f"postgresql://shop@{LOOPBACK}:{other.getsockname()[1]}/shop?sslmode=disable"
        with pytest.raises(PrerequisiteMissing, match="POSTGRES_URL"):
            ExternalServer(POSTGRES, url).ready()
