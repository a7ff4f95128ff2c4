"""The settings of notifier_svc."""

from pydantic import EmailStr, Field, PositiveInt, ValidationInfo, field_validator
from pydantic_core import Url

from chassis.link_tokens import LinkKey
from chassis.runtime.settings import HttpUrl, PostgresSettings, SmtpUrl


class WorkerSettings(PostgresSettings):
    """The event process."""

    smtp_url: SmtpUrl
    """Mail server: ``smtp://user:password@host:port``, or ``smtps://`` for TLS from the first byte."""
    mail_from: EmailStr
    """Sender of every mail; its domain is also the domain of the Message-IDs."""
    mail_connections: PositiveInt = 16
    """Number of SMTP connections that one event process may keep open."""
    mail_lease_seconds: float = Field(default=60.0, gt=0, le=86_400)
    """Seconds that a process may hold a mail it has claimed; after that, another process takes the mail over."""
    staff_mail: EmailStr
    """Address that receives the mails to staff, such as warnings about low stock."""
    staff_locale: str = Field(default="en", pattern=r"^[a-z]{2}(-[A-Z]{2})?$")
    """Language and format of dates and amounts in mails to staff: ``en``, ``de``, ``de-AT``."""
    link_key: LinkKey
    """Secret from which the tokens of links in mails are derived; customer_svc needs the same value."""
    shop_url: HttpUrl = Field(default=Url("http://127.0.0.1:8001"), validate_default=True)
    """Base URL of the pages that links in mails open. ``production`` requires https."""

    @field_validator("shop_url")
    @classmethod
    def _check_shop_url(cls, url: Url, info: ValidationInfo) -> Url:
        if url.query is not None or url.fragment is not None:
            raise ValueError("is a base URL, so it cannot have a query or a fragment")
        if url.scheme != "https" and info.data.get("shop_env") == "production":
            raise ValueError("needs https, because links in mails open accounts, and SHOP_ENV is production")
        return url


class RestSettings(PostgresSettings):
    """The REST process."""

    jwks_url: HttpUrl
    """URL of customer_svc's public keys, which verify access tokens: ``…/.well-known/jwks.json``."""
