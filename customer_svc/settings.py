"""The settings of customer_svc."""

from pathlib import Path

from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from pydantic import FilePath, PositiveFloat, PositiveInt, field_validator

from chassis.link_tokens import LinkKey
from chassis.runtime.settings import HttpUrl, PostgresSettings


class Settings(PostgresSettings):
    """The settings of the REST process; the event process needs no keys."""

    jwt_private_key_file: FilePath
    """PEM file with the Ed25519 key that signs access tokens."""
    jwt_seconds: PositiveInt = 900
    """How many seconds an access token is valid."""
    refresh_seconds: PositiveInt = 30 * 86_400
    """How many seconds after a log-in a session can be refreshed."""
    login_tries_per_account: PositiveInt = 10
    login_seconds_per_account: PositiveFloat = 60.0
    """Wrong passwords for one account: this many at once, then one in this many seconds."""
    login_tries_per_address: PositiveInt = 100
    login_seconds_per_address: PositiveFloat = 6.0
    """Wrong passwords from one network address: this many at once, then one in this many seconds."""
    register_tries_per_address: PositiveInt = 100
    register_seconds_per_address: PositiveFloat = 6.0
    """Registrations from one network address: this many at once, then one in this many seconds."""
    order_url: HttpUrl
    notifier_url: HttpUrl
    """The URLs of the REST APIs of order_svc and notifier_svc, from which exports are read."""
    link_key: LinkKey
    """The key from which the tokens of mailed links are derived; notifier_svc needs the same key."""

    @field_validator("jwt_private_key_file")
    @classmethod
    def _is_private_key(cls, path: Path) -> Path:
        """Refuse at the start a key that would fail at the first log-in."""
        try:
            key = OKPKey.import_key(path.read_bytes())
        except (JoseError, ValueError, OSError):
            key = None
        if key is None or not key.is_private or key.curve_name != "Ed25519":
            raise ValueError("not a PEM file with an Ed25519 private key")
        return path
