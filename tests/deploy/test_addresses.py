"""Every program gets the settings that it needs, and none of the others."""

from deploy.addresses import environment, with_database
from deploy.system import ACCOUNTS, CUSTOMER, NOTIFIER, ORDER, PRODUCT, SYSTEM
from tests.deploy.installation import ADDRESSES, PUBLIC, REST


def settings(name: str) -> dict[str, str]:
    program = next(one for one in SYSTEM.all_processes if one.name == name)
    return environment(program, ADDRESSES, {})


def with_setting(name: str) -> list[str]:
    return [program.name for program in SYSTEM.all_processes if name in environment(program, ADDRESSES, {})]


def test_each_service_gets_its_own_database() -> None:
    assert settings("order")["POSTGRES_URL"] == "postgresql://postgres:s%40cret@db.example:5432/order_svc"
    assert settings("product-worker")["MONGO_URL"] == "mongodb://mongo.example:27017/product_svc?replicaSet=rs0"
    assert "POSTGRES_URL" not in settings("product")
    assert "MONGO_URL" not in settings("order")


def test_only_the_issuer_of_access_tokens_gets_the_signing_key() -> None:
    assert with_setting("JWT_PRIVATE_KEY_FILE") == ["customer"]
    assert settings("customer")["JWT_PRIVATE_KEY_FILE"] == "/keys/jwt.pem"
    assert with_setting("JWKS_URL") == ["product", "order", "notifier"]
    assert settings("order")["JWKS_URL"] == "http://customer:8000/.well-known/jwks.json"


def test_only_the_processes_that_make_links_or_mail_them_get_the_key_of_links() -> None:
    assert with_setting("LINK_KEY") == ["customer", "notifier-worker"]
    assert settings("customer")["LINK_KEY"] == settings("notifier-worker")["LINK_KEY"]


def test_links_in_mails_lead_to_the_public_url() -> None:
    assert settings("notifier-worker")["SHOP_URL"] == PUBLIC["customer"]
    assert settings("order")["SHOP_URL"] == PUBLIC["customer"]
    assert settings("order")["PRODUCT_URL"] == REST["product"]


def test_an_installation_replaces_defaults_but_no_addresses() -> None:
    provided = {"MAIL_FROM": "shop@other.example", "LOG_LEVEL": "", "SMTP_URL": "smtp://other.example"}
    made = environment(SYSTEM.event_process(NOTIFIER), ADDRESSES, provided)
    assert made["MAIL_FROM"] == "shop@other.example"
    assert made["LOG_LEVEL"] == "INFO"
    assert made["SMTP_URL"] == ADDRESSES.servers["mail"]


def test_what_has_no_default_comes_from_the_caller() -> None:
    made = environment(ACCOUNTS[0], ADDRESSES, {"BOOTSTRAP_PASSWORD": "ten characters"})
    assert made["BOOTSTRAP_PASSWORD"] == "ten characters"
    assert made["POSTGRES_URL"].endswith("/customer_svc")


def test_the_map_says_which_services_a_service_calls() -> None:
    calls = {service.name: service.calls for service in (CUSTOMER, PRODUCT, ORDER, NOTIFIER)}
    assert calls == {
        "customer": ("notifier", "order"),
        "product": ("customer",),
        "order": ("customer", "product"),
        "notifier": ("customer",),
    }


def test_a_database_can_be_put_into_a_url_with_options() -> None:
    url = "postgresql://u:p@db.example:5432/postgres?sslmode=require"
    assert with_database(url, "order_svc") == "postgresql://u:p@db.example:5432/order_svc?sslmode=require"
