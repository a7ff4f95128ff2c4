"""``SHOP_ENV=production`` refuses what is fine on a developer's machine only, and names the setting."""

from typing import Any

import pytest
from pydantic import ValidationError

from chassis.runtime.production import check_secret
from notifier_svc.settings import RestSettings as NotifierRest
from notifier_svc.settings import WorkerSettings as NotifierWorker
from product_svc.settings import RestSettings as ProductRest

KAFKA = "SASL_SSL://svc:Wm3fJ7xQ0v1L@kafka-1.shop.net:9093"
POSTGRES = "postgresql://svc:Wm3fJ7xQ0v1L@db.shop.net/svc"
SECRET = "b3Zo9mJ2xW8qLr5TtY0uPsDfGhKlZxCv"
COMMON = {"shop_env": "production", "kafka_bootstrap_servers": KAFKA, "jwks_url": "https://accounts.shop.net/jwks"}
PRODUCT = COMMON | {"mongo_url": "mongodb://svc:Wm3fJ7xQ0v1L@db.shop.net/svc?replicaSet=rs0"}
NOTIFIER = COMMON | {"postgres_url": POSTGRES}
WORKER = NOTIFIER | {
    "smtp_url": "smtp://u:Wm3fJ7xQ0v1L@mail.shop.net:587",
    "mail_from": "shop@shop.net",
    "staff_mail": "staff@shop.net",
    "link_key": SECRET,
    "shop_url": "https://shop.net",
}


@pytest.mark.parametrize(
    ("cls", "good"), [(ProductRest, PRODUCT), (NotifierRest, NOTIFIER), (NotifierWorker, WORKER)]
)
def test_safe_settings_are_accepted(cls: Any, good: dict[str, str]) -> None:
    cls.model_validate(good)


@pytest.mark.parametrize(
    ("cls", "good", "setting", "unsafe"),
    [
        (ProductRest, PRODUCT, "kafka_bootstrap_servers", "kafka-1.shop.net:9092"),
        (ProductRest, PRODUCT, "kafka_bootstrap_servers", "SASL_SSL://svc:short@kafka-1.shop.net:9093"),
        (ProductRest, PRODUCT, "mongo_url", "mongodb://db.shop.net/svc?replicaSet=rs0"),
        (ProductRest, PRODUCT, "mongo_url", "mongodb://svc:development-only@db.shop.net/svc?replicaSet=rs0"),
        (ProductRest, PRODUCT, "jwks_url", "http://accounts.shop.net/jwks"),
        (ProductRest, PRODUCT, "cors_origins", "https://shop.net,http://shop.net"),
        (NotifierRest, NOTIFIER, "postgres_url", "postgresql://svc:development-only-notifier@db/svc"),
        (NotifierRest, NOTIFIER, "postgres_url", "postgresql://svc:short@db/svc"),
        (NotifierWorker, WORKER, "link_key", "development-only-key-of-links-in-mails"),
        (NotifierWorker, WORKER, "smtp_starttls", "offered"),
        (NotifierWorker, WORKER, "smtp_starttls", "never"),
        (NotifierWorker, WORKER, "shop_url", "http://shop.net"),
    ],
)
def test_an_unsafe_setting_is_named_in_production_and_taken_in_development(
    cls: Any, good: dict[str, str], setting: str, unsafe: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        cls.model_validate(good | {setting: unsafe})
    assert [one["loc"] for one in refused.value.errors()] == [(setting,)]
    assert "SHOP_ENV is production" in str(refused.value)
    assert "development-only" not in str(refused.value.errors(include_input=False))
    cls.model_validate(good | {"shop_env": "development", setting: unsafe})


def test_pages_of_developers_may_call_a_production() -> None:
    local = "http://localhost:3000,http://127.0.0.1:5173,http://[::1]:8080"
    assert len(ProductRest.model_validate(PRODUCT | {"cors_origins": f"https://shop.net,{local}"}).origins) == 4


@pytest.mark.parametrize("secret", ["postgres-password", "Admin_2026_admin", "change-me-please-now", "123456789012"])
def test_a_secret_that_everybody_tries_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="of an example"):
        check_secret(secret)


@pytest.mark.parametrize("secret", ["xTest9qRw2LmPz", "protestant horse battery staple"])
def test_a_secret_may_contain_a_common_word(secret: str) -> None:
    check_secret(secret)


@pytest.mark.parametrize("host", ["customer:8000", "customer.shop.svc.cluster.local", "10.0.0.7:8000", "127.0.0.1:1"])
def test_within_the_cluster_keys_may_be_fetched_without_tls(host: str) -> None:
    ProductRest.model_validate(PRODUCT | {"jwks_url": f"http://{host}/.well-known/jwks.json"})


@pytest.mark.parametrize(
    ("url", "choice", "expected"),
    [
        ("smtp://u:p@mail:587", None, True),
        ("smtp://mail:25", None, None),
        ("smtp://mail:25", "required", True),
        ("smtp://u:p@mail:25", "never", False),
        ("smtps://u:p@mail:465", None, False),
    ],
)
def test_a_password_of_a_mail_server_goes_through_tls_unless_said_otherwise(
    url: str, choice: str | None, expected: bool | None
) -> None:
    given = WORKER | {"shop_env": "development", "smtp_url": url} | ({"smtp_starttls": choice} if choice else {})
    assert NotifierWorker.model_validate(given).start_tls is expected
