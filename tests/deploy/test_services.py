"""Every process of the shop is told what it has to know, and nothing of the others."""

import json
import shlex
from pathlib import Path

from deploy.local.provision import account, once_per_code
from deploy.local.sample import Person, Sample
from deploy.local.services import SERVICES, Addresses, environment, make_signing_key, processes_of, with_database
from deploy.local.show import next_order

REST = {name: f"http://127.0.0.1:800{number}" for number, name in enumerate(SERVICES, 1)}
ADDRESSES = Addresses(
    "127.0.0.1:9092",
    "postgresql://postgres:s%40cret@127.0.0.1:5432/postgres",
    "mongodb://127.0.0.1:27017/?replicaSet=rs0",
    "smtp://127.0.0.1:2525",
    REST,
    Path("/home/shop/secrets/jwt.pem"),
)


def test_each_service_gets_the_database_of_its_own() -> None:
    assert environment("order", ADDRESSES)["POSTGRES_URL"].endswith("s%40cret@127.0.0.1:5432/order_svc")
    assert environment("product", ADDRESSES)["MONGO_URL"] == "mongodb://127.0.0.1:27017/product_svc?replicaSet=rs0"
    assert "POSTGRES_URL" not in environment("product", ADDRESSES)
    assert "MONGO_URL" not in environment("order", ADDRESSES)


def test_only_the_issuer_of_tokens_knows_the_key() -> None:
    knows = [name for name in SERVICES if "JWT_PRIVATE_KEY_FILE" in environment(name, ADDRESSES)]
    assert knows == ["customer"]
    assert environment("order", ADDRESSES)["JWKS_URL"] == f"{REST['customer']}/.well-known/jwks.json"


def test_only_who_makes_links_and_who_mails_them_know_their_key() -> None:
    knows = {name: key for name in SERVICES if (key := environment(name, ADDRESSES).get("LINK_KEY"))}
    assert knows == dict.fromkeys(("customer", "notifier"), ADDRESSES.link_key)
    assert environment("notifier", ADDRESSES)["SHOP_URL"] == REST["customer"]


def test_the_two_processes_of_a_service_listen_on_loopback_on_ports_of_their_own() -> None:
    front, worker = processes_of("order", {"order": 8003, "order-worker": 20001}, ADDRESSES)
    assert (front.name, front.url) == ("order", "http://127.0.0.1:8003")
    assert (worker.name, worker.command.env["PORT"]) == ("order-worker", "20001")
    assert front.command.env["HOST"] == worker.command.env["HOST"] == "127.0.0.1"


def test_a_database_can_be_put_into_a_url_that_has_options() -> None:
    url = "postgresql://u:p@db.example:5432/postgres?sslmode=require"
    assert with_database(url, "order_svc") == "postgresql://u:p@db.example:5432/order_svc?sslmode=require"


def test_the_signing_key_is_made_once_and_for_the_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "jwt.pem"
    make_signing_key(path)
    first = path.read_text()
    make_signing_key(path)
    assert path.read_text() == first
    assert first.startswith("-----BEGIN PRIVATE KEY-----")
    assert path.stat().st_mode & 0o777 == 0o600


def test_in_somebody_elses_database_the_staff_account_is_that_of_this_home(tmp_path: Path) -> None:
    one, other = (account(tmp_path / name, "staff", ours=False) for name in ("one", "other"))
    assert one.email != other.email
    assert account(tmp_path / "one", "staff", ours=False) == one
    assert account(tmp_path / "one", "staff", ours=True).email == "staff@example.com"


def test_what_this_code_has_done_on_these_data_is_not_done_again(tmp_path: Path) -> None:
    done = []

    def work() -> str:
        done.append(1)
        return "migrated"

    note = tmp_path / "done-order"
    assert [once_per_code(work, note) for _ in range(2)] == ["migrated", "unchanged"]
    note.write_text("the digest of other code")
    assert once_per_code(work, note) == "migrated"
    assert len(done) == 2


def test_the_next_commands_survive_a_shell() -> None:
    sample = Sample(Person("ada@example.com", "it's $5 `now`"), "id", [{"sku": "MUG-1", "quantity": 2}], {}, None)
    log_in, order, follow = next_order(REST, sample).splitlines()
    words = shlex.split(log_in.removeprefix("TOKEN=$(").partition(" | ")[0])
    assert json.loads(words[words.index("-d") + 1]) == {"email": "ada@example.com", "password": "it's $5 `now`"}
    words = shlex.split(order)
    assert json.loads(words[words.index("-d") + 1])["lines"] == sample.lines
    assert f"{REST['order']}/v1/orders/id/timeline" in follow
