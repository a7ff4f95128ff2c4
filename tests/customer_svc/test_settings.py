"""Wrong or missing settings end the start, and are named."""

from pathlib import Path

import pytest
from joserfc.jwk import ECKey, OKPKey
from pydantic import ValidationError

from customer_svc.settings import Settings, WorkerSettings
from tests.processes import Environment, refusal

GOOD = {
    "postgres_url": "postgresql://a:secret-pw@db/x",
    "kafka_bootstrap_servers": "kafka:9092",
    "link_key": "k" * 32,
    "order_url": "http://order",
    "notifier_url": "http://notifier",
}
PRIVATE = OKPKey.generate_key("Ed25519")


async def test_all_wrong_settings_are_named_at_once_and_their_values_are_not_shown() -> None:
    wrong = {
        "KAFKA_BOOTSTRAP_SERVERS": "kafka",
        "POSTGRES_URL": "mysql://root:secret-pw@db/x",
        "JWT_PRIVATE_KEY_FILE": "/nowhere.pem",
        "JWT_SECONDS": "0",
        "ORDER_URL": "order",
        "LINK_KEY": "secret-pw too short",
        "PORT": "99999",
        "FORWARDED_ALLOW_IPS": "*",
        "CORS_ORIGINS": "*",
        "LOG_LEVEL": "LOUD",
    }
    errors = await refusal("customer_svc.main", wrong)
    assert all(f"  {name}: " in errors for name in wrong)
    assert "secret-pw" not in errors


def test_all_missing_settings_are_named_at_once(environment: Environment) -> None:
    assert environment.refused(Settings, {}) == [
        *("KAFKA_BOOTSTRAP_SERVERS", "POSTGRES_URL", "JWT_PRIVATE_KEY_FILE"),
        *("ORDER_URL", "NOTIFIER_URL", "LINK_KEY"),
    ]


def test_the_event_process_needs_no_keys(environment: Environment) -> None:
    assert environment.refused(WorkerSettings, {}) == ["KAFKA_BOOTSTRAP_SERVERS", "POSTGRES_URL"]


def test_an_ed25519_private_key_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(PRIVATE.as_pem(private=True))
    assert Settings.model_validate({**GOOD, "jwt_private_key_file": path}).jwt_seconds == 900


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no key",
        b"\x00\xff",
        PRIVATE.as_pem(private=False),
        OKPKey.generate_key("X25519").as_pem(private=True),
        ECKey.generate_key("P-256").as_pem(private=True),
    ],
    ids=["empty", "text", "bytes", "public", "X25519", "P-256"],
)
def test_any_other_key_is_refused_at_the_start(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    with pytest.raises(ValidationError, match="jwt_private_key_file"):
        Settings.model_validate({**GOOD, "jwt_private_key_file": path})


async def test_only_public_keys_are_published_beside_the_key_that_signs(tmp_path: Path) -> None:
    private, public = tmp_path / "key.pem", tmp_path / "next.pem"
    private.write_bytes(PRIVATE.as_pem(private=True))
    public.write_bytes(OKPKey.generate_key("Ed25519").as_pem(private=False))
    good = {**GOOD, "jwt_private_key_file": private}
    both = Settings.model_validate(
        {**good, "jwt_next_public_key_file": public, "jwt_previous_public_key_file": public}
    )
    assert both.jwt_published_key_files == [public, public]
    with pytest.raises(ValidationError, match="jwt_next_public_key_file"):
        Settings.model_validate({**good, "jwt_next_public_key_file": private})
