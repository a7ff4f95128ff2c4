"""What customer_svc can be told."""

from pathlib import Path

from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from pydantic import FilePath, PositiveFloat, PositiveInt, field_validator

from chassis.link_tokens import LinkKey
from chassis.runtime.settings import HttpUrl, PostgresSettings


class Settings(PostgresSettings):
    """The REST front; the event process needs no key."""

    jwt_private_key_file: FilePath
    """PEM file with the Ed25519 key that signs access tokens."""
    jwt_seconds: PositiveInt = 900
    """How long an access token is good for."""

    refresh_seconds: PositiveInt = 30 * 86_400
    """How long after a log-in one need not log in again."""
    login_tries_per_account: PositiveInt = 10
    login_seconds_per_account: PositiveFloat = 60.0
    """Wrong passwords for one account: so many at once, and then one every so many seconds."""
    login_tries_per_address: PositiveInt = 100
    login_seconds_per_address: PositiveFloat = 6.0
    """The same from one address of the network."""
    register_tries_per_address: PositiveInt = 100
    register_seconds_per_address: PositiveFloat = 6.0
    """Registrations from one address of the network: so many at once, and then one every so many seconds."""
    order_url: HttpUrl
    notifier_url: HttpUrl
    """The REST APIs of order_svc and notifier_svc, asked for what they have about whoever exports their data."""
    link_key: LinkKey
    """What tokens of links in mails are made with; notifier_svc has the same."""

    @field_validator("jwt_private_key_file")
    @classmethod
    def _signs(cls, path: Path) -> Path:
        """Refuse at boot what would fail at the first log-in."""
        try:
            key = OKPKey.import_key(path.read_bytes())
        except (JoseError, ValueError, OSError):
            key = None
        if key is None or not key.is_private or key.curve_name != "Ed25519":
            raise ValueError("no PEM file with an Ed25519 private key")
        return path
