"""Settings of notifier_svc: a process does not start with a wrong or missing one, and names it."""

import pytest
from pydantic import ValidationError

from notifier_svc.settings import WorkerSettings
from tests.processes import Environment

GOOD = {
    "postgres_url": "postgresql://a:b@db/x",
    "kafka_bootstrap_servers": "kafka:9092",
    "smtp_url": "smtp://u:p@mail:25",
    "mail_from": "shop@shopstream.example",
    "staff_mail": "staff@shopstream.example",
    "link_key": "k" * 32,
}


def test_all_missing_and_wrong_settings_are_named_together(environment: Environment) -> None:
    names = ["KAFKA_BOOTSTRAP_SERVERS", "POSTGRES_URL", "SMTP_URL", "MAIL_FROM", "MAIL_CONNECTIONS"]
    names += ["STAFF_MAIL", "LINK_KEY"]
    assert environment.refused(WorkerSettings, {"smtp_url": "secret-pw@mail:25", "mail_connections": "0"}) == names


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("smtp_url", "http://mail"),
        ("smtp_url", "smtp://"),
        ("mail_from", "shop"),
        ("mail_from", "a@b.example, c@d.example"),
        ("mail_from", "jos\u00e9@shop.example"),
        ("mail_from", "a@b.example\r\nBcc: x@y.example"),
        ("mail_reply_to", "help"),
        ("mail_reply_to", "jos\u00e9@shop.example"),
        ("tracking_urls", {"Acme": "https://acme.example/"}),
        ("tracking_urls", {"Acme": "javascript:{number}"}),
        ("tracking_urls", {"Acme": "https://acme.example/ {number}"}),
        ("mail_connections", "-1"),
        ("mail_connections", "many"),
        ("mail_lease_seconds", "inf"),
        ("mail_lease_seconds", "0"),
        ("staff_mail", "staff"),
        ("staff_mail", ""),
        ("staff_locale", "german"),
        ("link_key", "k" * 31),
        ("shop_url", "shop.example"),
        ("shop_url", "https://shop.example/?page="),
        ("shop_url", "https://shop.example/#"),
    ],
)
def test_a_wrong_setting_is_refused(name: str, wrong: object) -> None:
    WorkerSettings.model_validate(GOOD)
    with pytest.raises(ValidationError, match=name):
        WorkerSettings.model_validate({**GOOD, name: wrong})


@pytest.mark.parametrize("changes", [{}, {"shop_url": "http://shop.example"}])
def test_in_production_links_in_mails_need_https(changes: dict[str, str]) -> None:
    safe = {"kafka_bootstrap_servers": "SASL_SSL://svc:Wm3fJ7xQ0v1L@kafka:9093", "link_key": "kZ3w9QxT" * 4}
    safe |= {"postgres_url": "postgresql://db/x"}
    production = {**GOOD, **safe, "shop_env": "production"}
    WorkerSettings.model_validate({**production, "shop_url": "https://shop.example"})
    with pytest.raises(ValidationError, match="shop_url"):
        WorkerSettings.model_validate(production | changes)
