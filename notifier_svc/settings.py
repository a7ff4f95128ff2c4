"""What notifier_svc can be told."""

from pydantic import EmailStr, Field, PositiveInt, ValidationInfo, field_validator
from pydantic_core import Url

from chassis.link_tokens import LinkKey
from chassis.runtime.settings import HttpUrl, PostgresSettings, SmtpUrl


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
    staff_mail: EmailStr
    """Where staff read that stock is low."""
    staff_locale: str = Field(default="en", pattern=r"^[a-z]{2}(-[A-Z]{2})?$")
    """In which language, and with whose dates and figures: ``en``, ``de``, ``de-AT``."""
    link_key: LinkKey
    """What tokens of links in mails are made with; customer_svc has the same."""
    shop_url: HttpUrl = Field(default=Url("http://127.0.0.1:8001"), validate_default=True)
    """Where customers find the shop's pages; links in mails lead there."""

    @field_validator("shop_url")
    @classmethod
    def _leads_to_pages(cls, url: Url, info: ValidationInfo) -> Url:
        if url.query is not None or url.fragment is not None:
            raise ValueError("pages are below it: it has no query and no fragment")
        if url.scheme != "https" and info.data.get("shop_env") == "production":
            raise ValueError("what links in mails open is given over https only, and SHOP_ENV is production")
        return url


class RestSettings(PostgresSettings):
    """The REST front."""

    jwks_url: HttpUrl
    """Where customer_svc publishes the keys of access tokens."""
