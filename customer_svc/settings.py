"""What customer_svc can be told."""

from pydantic import FilePath, PositiveInt

from chassis.settings import PostgresSettings


class Settings(PostgresSettings):
    """The REST front; the event process needs no key."""

    jwt_private_key_file: FilePath
    """PEM file with the Ed25519 key that signs access tokens."""
    jwt_seconds: PositiveInt = 900
    """How long an access token is good for."""
