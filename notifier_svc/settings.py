"""What notifier_svc can be told."""

from pydantic import EmailStr, Field, PositiveInt

from chassis.settings import HttpUrl, PostgresSettings, SmtpUrl


class WorkerSettings(PostgresSettings):
    """The event process."""

    smtp_url: SmtpUrl
    """``smtp://user:password@host:port``, or ``smtps://`` for TLS from the first byte."""
    mail_from: EmailStr
    """The sender of every mail; its domain stands in the Message-IDs."""
    mail_connections: PositiveInt = 16
    """SMTP connections of one event process."""
    mail_lease_seconds: float = Field(default=60.0, gt=0, le=86_400)
    """A mail in hand for longer than this is taken up by another process."""


class RestSettings(PostgresSettings):
    """The REST front."""

    jwks_url: HttpUrl
    """Where customer_svc publishes the keys of access tokens."""
