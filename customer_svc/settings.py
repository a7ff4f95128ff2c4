"""The settings of customer_svc."""

from pathlib import Path
from typing import Literal

from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from pydantic import Field, FilePath, PositiveFloat, PositiveInt, field_validator

from chassis.link_tokens import LinkKey
from chassis.runtime.settings import PostgresSettings, ServiceUrl


class WorkerSettings(PostgresSettings):
    """The settings of the event process."""

    audit_log_seconds: PositiveInt = 180 * 86_400
    """Seconds for which entries of the audit log are kept; half a year by default."""


class Settings(PostgresSettings):
    """The settings of the REST process; the event process needs no key."""

    jwt_private_key_file: FilePath
    """PEM file with the Ed25519 private key that signs access tokens."""
    jwt_next_public_key_file: FilePath | None = None
    """PEM file with the public key that is to sign access tokens next; all services know it by then."""
    jwt_previous_public_key_file: FilePath | None = None
    """PEM file with the public key that signed access tokens before: published until the last of them has expired."""
    jwt_seconds: PositiveInt = 900
    """Lifetime of an access token, in seconds."""
    jwt_audiences: str = Field(
        default="customer_svc,product_svc,order_svc,notifier_svc", pattern=r"^[A-Za-z0-9_.-]+(,[A-Za-z0-9_.-]+)*$"
    )
    """The ``aud`` claim of access tokens: all services, separated by commas. Each accepts the tokens that name it."""
    refresh_seconds: PositiveInt = 30 * 86_400
    """Lifetime of a session, in seconds, counted from the log-in; then the customer has to log in again."""
    login_tries_per_account: PositiveInt = 10
    """Number of wrong passwords in a row that one account allows to one network before it is throttled. All networks
    that its owner did not use before have ten times as many together."""
    login_seconds_per_account: PositiveFloat = 60.0
    """Seconds after which a throttled account allows one more attempt to that network."""
    login_tries_per_address: PositiveInt = 100
    """Number of wrong passwords and links in a row, for any account, that one network may send: an IPv4 address, or a
    /64 of IPv6; the /48 around it has ten times as many."""
    login_seconds_per_address: PositiveFloat = 6.0
    """Seconds after which a throttled network may make one more attempt."""
    register_tries_per_address: PositiveInt = 100
    """Number of registrations in a row that one network may send; a /48 of IPv6 has ten times as many."""
    register_seconds_per_address: PositiveFloat = 6.0
    """Seconds after which a throttled network may register one more account."""
    email_revert_seconds: PositiveInt = 7 * 86_400
    """Seconds for which the old e-mail address of an account can revert a change, and nobody else can register it; a
    week by default."""
    staff_totp: Literal["optional", "required"] = "optional"
    """Whether staff and ops need one-time codes (TOTP) to log in; with ``required``, those without cannot log in."""
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
        key = _ed25519_key(path)
        if key is None or not key.is_private:
            raise ValueError("not a PEM file with an Ed25519 private key")
        return path

    @field_validator("jwt_next_public_key_file", "jwt_previous_public_key_file")
    @classmethod
    def _is_public_key(cls, path: Path | None) -> Path | None:
        """Refuse a key that is not one, and a private key where the public one is enough."""
        key = _ed25519_key(path) if path else None
        if path and (key is None or key.is_private):
            raise ValueError("not a PEM file with an Ed25519 public key")
        return path

    @property
    def jwt_published_key_files(self) -> list[Path]:
        """The public keys that are published beside the one that signs."""
        files = (self.jwt_next_public_key_file, self.jwt_previous_public_key_file)
        return [path for path in files if path]


def _ed25519_key(path: Path) -> OKPKey | None:
    try:
        key = OKPKey.import_key(path.read_bytes())
    except (JoseError, ValueError, OSError):
        return None
    return key if key.curve_name == "Ed25519" else None
