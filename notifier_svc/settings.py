"""The settings of notifier_svc."""

from typing import Annotated, Literal

from pydantic import EmailStr, Field, PositiveInt, StringConstraints, ValidationInfo, field_validator
from pydantic_core import Url

from chassis.link_tokens import LinkKey
from chassis.runtime.production import in_production
from chassis.runtime.settings import HttpUrl, PostgresSettings, ServiceUrl, SmtpUrl

TrackingUrl = Annotated[str, StringConstraints(pattern=r"^https?://[!-~]*\{number\}[!-~]*$")]


class WorkerSettings(PostgresSettings):
    """The event process."""

    smtp_url: SmtpUrl
    """Mail server: ``smtp://user:password@host:port``, or ``smtps://`` for TLS from the first byte."""
    smtp_starttls: Literal["required", "offered", "never"] | None = None
    """Whether ``smtp://`` changes to TLS before it logs in. By default ``required`` if the URL has a password or
    ``SHOP_ENV`` is production, else ``offered``: if the server offers it."""
    mail_from: EmailStr
    """Sender of every mail, in ASCII before the ``@``; its domain is also the domain of the Message-IDs."""
    mail_reply_to: EmailStr | None = None
    """Address that replies to mails go to, in ASCII before the ``@``; by default they go to the sender."""
    mail_connections: PositiveInt = 32
    """SMTP connections that one event process may keep open (Postfix accepts 50 of a client by default)."""
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
    tracking_urls: dict[str, TrackingUrl] = {}  # noqa: RUF012
    """Tracking pages of carriers, as JSON: ``{"Acme": "https://acme.example/{number}"}``. They add to those that are
    known (``notifier_svc/rendering/carriers.py``), or replace them."""

    @field_validator("mail_from", "mail_reply_to")
    @classmethod
    def _check_sender(cls, address: str | None) -> str | None:
        if address and not address.rpartition("@")[0].isascii():
            raise ValueError("needs ASCII before the @, since few mail servers offer SMTPUTF8")
        return address

    @field_validator("smtp_starttls")
    @classmethod
    def _check_starttls(cls, choice: str | None, info: ValidationInfo) -> str | None:
        url = info.data.get("smtp_url")
        if in_production(info) and choice in ("offered", "never") and url and url.scheme == "smtp" and url.password:
            raise ValueError("would send the password of SMTP_URL without TLS, and SHOP_ENV is production")
        return choice

    @property
    def start_tls(self) -> bool | None:
        """As the SMTP client takes it: True must, False never, None if it is offered."""
        if self.smtp_url.scheme == "smtps":
            return False
        demanded = "required" if self.smtp_url.password or self.shop_env == "production" else "offered"
        return {"required": True, "offered": None, "never": False}[self.smtp_starttls or demanded]

    @field_validator("shop_url")
    @classmethod
    def _check_shop_url(cls, url: Url, info: ValidationInfo) -> Url:
        if url.query is not None or url.fragment is not None:
            raise ValueError("is a base URL, so it cannot have a query or a fragment")
        if url.scheme != "https" and in_production(info):
            raise ValueError("needs https, because links in mails open accounts, and SHOP_ENV is production")
        return url


class RestSettings(PostgresSettings):
    """The REST process."""

    jwks_url: ServiceUrl
    """URL of customer_svc's public keys, which verify access tokens: ``…/.well-known/jwks.json``."""
