"""Settings of product_svc: a wrong or missing one ends the start and is named."""

import pytest
from pydantic import ValidationError

from product_svc.migrations.__main__ import MigrationSettings
from product_svc.settings import RestSettings, WorkerSettings
from tests.processes import Environment


def test_every_missing_and_wrong_setting_is_named_at_once(environment: Environment) -> None:
    wrong = {"mongo_url": "mongodb://u:secret-pw@db/", "jwks_url": "ftp://x/"}
    assert environment.refused(RestSettings, wrong) == ["KAFKA_BOOTSTRAP_SERVERS", "MONGO_URL", "JWKS_URL"]
    assert environment.refused(MigrationSettings, {}) == ["MONGO_URL"]


def test_the_message_about_a_wrong_setting_does_not_repeat_its_value(environment: Environment) -> None:
    wrong = {"mongo_url": "mongodb://db/", "kafka_bootstrap_servers": "kafka:9092"}
    why = "names no database: mongodb://host:port/database?replicaSet=name"
    assert environment.messages(WorkerSettings, wrong) == [f"MONGO_URL: {why}"]


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "1e300", "soon"])
def test_an_invalid_lifetime_of_responses_is_refused_at_boot(environment: Environment, seconds: str) -> None:
    values = {"mongo_url": "mongodb://db/x", "kafka_bootstrap_servers": "kafka:9092", "jwks_url": "http://x/"}
    assert environment.refused(RestSettings, {**values, "idempotency_seconds": seconds}) == ["IDEMPOTENCY_SECONDS"]


@pytest.mark.parametrize(
    "url",
    [
        "mongodb://db",
        "mongodb://db/",
        "mongodb://db/?replicaSet=rs0",
        "mongodb://db/a.b",
        "mongodb://db/a/b",
        "mongodb://db/a%20b",
        "http://db/shop",
        "db/shop",
        "",
    ],
)
def test_a_url_that_names_no_database_is_refused_at_boot(url: str) -> None:
    with pytest.raises(ValidationError, match="mongo_url"):
        WorkerSettings.model_validate({"mongo_url": url, "kafka_bootstrap_servers": "kafka:9092"})


def test_a_url_that_names_a_database_is_accepted() -> None:
    url = "mongodb://u:p@db-1:27017,db-2:27017/product_svc-2?replicaSet=rs0"
    taken = WorkerSettings.model_validate({"mongo_url": url, "kafka_bootstrap_servers": "kafka:9092"})
    assert str(taken.mongo_url) == url
