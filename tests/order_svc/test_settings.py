"""Settings of order_svc: a wrong or missing one is named, and the process does not start."""

import pytest
from pydantic import ValidationError

from chassis.persistence.postgres.migrate import MigrationSettings
from chassis.runtime.settings import load
from order_svc.settings import RestSettings, WorkerSettings
from tests.processes import Environment, refusal

GOOD = {"postgres_url": "postgresql://a:b@db/x", "kafka_bootstrap_servers": "kafka:9092"}


async def test_a_process_names_every_missing_setting_and_ends() -> None:
    printed = await refusal("order_svc.worker", {})
    assert printed.splitlines() == [
        "order_svc cannot start, its settings are not right:",
        "  KAFKA_BOOTSTRAP_SERVERS: is not set",
        "  POSTGRES_URL: is not set",
    ]


def test_every_missing_and_wrong_setting_is_named_at_once(environment: Environment) -> None:
    names = ["KAFKA_BOOTSTRAP_SERVERS", "POSTGRES_URL", "JWKS_URL", "PRODUCT_URL"]
    assert environment.refused(RestSettings, {"product_url": "nowhere"}) == names


def test_migrations_need_their_database_and_nothing_else(environment: Environment) -> None:
    assert environment.refused(MigrationSettings, {}) == ["POSTGRES_URL"]


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "1e300", "soon"])
def test_a_malformed_deadline_is_refused_at_start(seconds: str) -> None:
    with pytest.raises(ValidationError, match="order_deadline_seconds"):
        WorkerSettings.model_validate({**GOOD, "order_deadline_seconds": seconds})


def test_an_empty_setting_counts_as_not_set(environment: Environment) -> None:
    environment.set(WorkerSettings, {**GOOD, "order_deadline_seconds": ""})
    assert load(WorkerSettings, "order_svc").order_deadline_seconds == 600.0


@pytest.mark.parametrize(
    ("changes", "origins"),
    [
        ({}, ()),
        ({"shop_url": "https://shop.example/pages/"}, ("https://shop.example",)),
        ({"shop_url": "http://127.0.0.1:8001"}, ("http://127.0.0.1:8001",)),
        (
            {"shop_url": "https://shop.example", "cors_origins": "https://a.example,https://shop.example"},
            ("https://a.example", "https://shop.example"),
        ),
    ],
)
def test_the_pages_of_the_shop_may_read_orders(changes: dict[str, str], origins: tuple[str, ...]) -> None:
    urls = {"jwks_url": "http://customer:8000/keys", "product_url": "http://product:8000"}
    assert RestSettings.model_validate({**GOOD, **urls, **changes}).origins == origins
