"""The settings of customer_svc."""

from pathlib import Path

from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from pydantic import FilePath, PositiveFloat, PositiveInt, field_validator

from chassis.link_tokens import LinkKey
from chassis.runtime.settings import PostgresSettings, ServiceUrl


class Settings(PostgresSettings):
    """The settings of the REST process; the event process needs no key."""

    jwt_private_key_file: FilePath
    """PEM file with the Ed25519 private key that signs access tokens."""
    jwt_seconds: PositiveInt = 900
    """Lifetime of an access token, in seconds."""
    refresh_seconds: PositiveInt = 30 * 86_400
    """Lifetime of a session, in seconds, counted from the log-in; then the customer has to log in again."""
    login_tries_per_account: PositiveInt = 10
    """Number of wrong passwords in a row that one account allows before it is throttled."""
    login_seconds_per_account: PositiveFloat = 60.0
    """Seconds after which a throttled account allows one more attempt."""
    login_tries_per_address: PositiveInt = 100
    """Number of wrong passwords in a row, for any account, that one network address may send."""
    login_seconds_per_address: PositiveFloat = 6.0
    """Seconds after which a throttled network address may make one more attempt."""
    register_tries_per_address: PositiveInt = 100
    """Number of registrations in a row that one network address may send."""
    register_seconds_per_address: PositiveFloat = 6.0
    """Seconds after which a throttled network address may register one more account."""
    order_url: ServiceUrl
    """Base URL of order_svc's REST API, which supplies the orders of a data export."""
    notifier_url: ServiceUrl
    """Base URL of notifier_svc's REST API, which supplies the mails of a data export."""
    link_key: LinkKey
    """Secret from which the tokens of links in mails are derived; notifier_svc needs the same value."""

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
