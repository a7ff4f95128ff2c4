"""Settings come from the environment, or from files; a wrong or missing one ends the start and is named."""

import sys
from collections.abc import Iterable
from ipaddress import ip_network
from typing import Annotated, Literal, NoReturn, TypeVar
from urllib.parse import unquote

from pydantic import (
    AfterValidator,
    Field,
    PostgresDsn,
    SecretStr,
    UrlConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails, Url
from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis.messaging.brokers import PATTERN as BROKERS
from chassis.messaging.brokers import with_password
from chassis.runtime.failpoints import parse
from chassis.runtime.origins import parse_origins
from chassis.runtime.production import check_brokers, check_origin, check_secret, check_transport, in_production
from chassis.runtime.setting_files import FileSettings, UnusableSetting

S = TypeVar("S", bound=BaseSettings)

EX_CONFIG = 78
"""Exit status for a configuration error (sysexits.h)."""

SmtpUrl = Annotated[Url, UrlConstraints(allowed_schemes=["smtp", "smtps"], host_required=True)]
HttpUrl = Annotated[Url, UrlConstraints(allowed_schemes=["http", "https"], host_required=True)]
Port = Annotated[int, Field(ge=0, le=65535)]


class Settings(FileSettings):
    """The settings of every process of every service. The environment variable is the field's name in capitals."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_ignore_empty=True, use_attribute_docstrings=True
    )

    shop_env: Literal["development", "production"] = "development"
    """The kind of installation. ``production`` refuses settings that are unsafe there."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """The least severe log records that the process writes."""
    log_format: Literal["json", "console"] = "json"
    """``json`` writes one JSON object per line, ``console`` text for people, with colours on a terminal."""
    access_log: bool = False
    """Whether a REST process writes a line for every request: method, route, status and milliseconds. Requests for
    health and for keys, which processes send every few seconds, are left out unless they fail."""
    host: str = "127.0.0.1"
    """Address to listen on: for the REST API, or for the health and metrics of an event process."""
    port: Port = 0
    """TCP port to listen on; 0 picks a free one."""
    metrics_host: str = "127.0.0.1"
    """Address on which a REST process serves its metrics, and its health once more: not one that clients reach. An
    event process serves both on ``HOST`` and ``PORT``."""
    metrics_port: Port = 0
    """TCP port of a REST process for its metrics and its health; 0 picks a free one."""
    kafka_password: SecretStr | None = None
    """Password of the user that ``KAFKA_BOOTSTRAP_SERVERS`` names without one."""
    kafka_bootstrap_servers: str = Field(pattern=BROKERS)
    """Kafka brokers to connect to first: ``host:port[,host:port]``, in production
    ``SASL_SSL://user:password@host:port[,host:port]`` (SCRAM-SHA-512)."""
    forwarded_allow_ips: str = ""
    """Proxies in front of the REST API: addresses or networks (``10.0.0.1,10.1.0.0/16``), from which alone an
    ``X-Forwarded-For`` header is believed. Without any, the address of a client is that of its connection."""
    cors_origins: str = ""
    """Origins of web pages whose scripts may call the REST API from a browser:
    ``https://shop.example,http://localhost:3000``. Without any, browsers let only pages of the service itself do so.
    Production refuses ``http``, but for localhost."""
    kafka_prefix: str = Field(default="", pattern=r"^[A-Za-z0-9._-]*$")
    """Prefix of all topic and consumer group names, so that several installations can share a cluster."""
    jwt_issuer: str = "shopstream"
    """The ``iss`` claim of access tokens; all services need the same value."""
    public_urls: dict[str, HttpUrl] = Field(default={})
    """The URLs at which clients reach the REST APIs, as JSON: ``{"order_svc": "https://…"}``. The OpenAPI documents
    name them, and the page of an order reads it at order_svc's; without any, those of a local run."""
    http_connections: int = Field(default=2000, ge=1, le=100_000)
    """Most clients that are connected at once; fewer where the process can open fewer files (``ulimit -n``)."""
    http_requests: int = Field(default=1000, ge=1, le=100_000)
    """Most requests that a REST process works on at once; more get 503 and ``Retry-After``."""
    http_header_seconds: float = Field(default=10.0, gt=0, le=600)
    """Seconds in which the headers of a request have to arrive."""
    http_body_seconds: float = Field(default=30.0, gt=0, le=600)
    """Seconds in which the body of a request has to arrive, after its headers."""
    otel_exporter_otlp_endpoint: HttpUrl | None = None
    """Where OpenTelemetry spans go, by OTLP over HTTP, without ``/v1/traces``: ``http://collector:4318``. Without
    it no spans are recorded, and trace ids are only passed on. In production not without TLS over a public
    network."""
    otel_traces_sampler_arg: float | None = Field(default=None, ge=0, le=1)
    """The part of the traces begun here that is recorded: 0.01 is one in a hundred; by default all. A trace that
    comes with a request or an event is recorded if its sender says that it is."""
    failpoints: str = ""
    """For tests: where this process fails on purpose, ``point=action[@nth][,…]``. Refused in production."""

    @field_validator("kafka_bootstrap_servers")
    @classmethod
    def _check_brokers(cls, text: str, info: ValidationInfo) -> str:
        password = info.data.get("kafka_password")
        text = with_password(text, password.get_secret_value() if password else "")
        if in_production(info):
            check_brokers(text)
        return text

    @field_validator("forwarded_allow_ips")
    @classmethod
    def _check_proxies(cls, text: str) -> str:
        for proxy in text.split(",") if text else ():
            ip_network(proxy.strip())
        return text

    @field_validator("cors_origins")
    @classmethod
    def _check_origins(cls, text: str, info: ValidationInfo) -> str:
        for origin in parse_origins(text):
            if in_production(info):
                check_origin(origin)
        return text

    @field_validator("otel_exporter_otlp_endpoint")
    @classmethod
    def _check_spans(cls, url: Url | None, info: ValidationInfo) -> Url | None:
        return internal_in_production(url, info) if url else url

    @field_validator("failpoints")
    @classmethod
    def _check_failpoints(cls, text: str, info: ValidationInfo) -> str:
        if parse(text) and in_production(info):
            raise ValueError("fail points are for tests only, and SHOP_ENV is production")
        return text

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins of ``CORS_ORIGINS``."""
        return parse_origins(self.cors_origins)


class PostgresSettings(Settings):
    """A service with a PostgreSQL database of its own."""

    postgres_url: PostgresDsn
    """The service's own PostgreSQL database: ``postgresql://user:password@host:port/database``."""

    @field_validator("postgres_url")
    @classmethod
    def _check_credentials(cls, url: PostgresDsn, info: ValidationInfo) -> PostgresDsn:
        if in_production(info):
            for host in url.hosts():
                # Without one there is another way to log in, such as a certificate.
                if host["password"]:
                    check_secret(unquote(host["password"]))
        return url


def internal_in_production(url: Url, info: ValidationInfo) -> Url:
    """Validate the URL of a service that is called: in production, not without TLS over a public network."""
    if in_production(info):
        check_transport(url)
    return url


ServiceUrl = Annotated[HttpUrl, AfterValidator(internal_in_production)]
"""The URL of another service's REST API."""


def load(cls: type[S], service: str) -> S:
    """Read the settings, or end the process naming every setting that is wrong."""
    try:
        return cls()
    except ValidationError as error:
        _refuse(service, [_problem(one) for one in error.errors()])
    except UnusableSetting as error:
        _refuse(service, [str(error)])


def _problem(error: ErrorDetails) -> str:
    name = str(error["loc"][0]).upper() if error["loc"] else "settings"
    return f"{name}: " + ("is not set" if error["type"] == "missing" else error["msg"].removeprefix("Value error, "))


def _refuse(service: str, problems: Iterable[str]) -> NoReturn:
    print(f"{service} cannot start, its settings are not right:", file=sys.stderr)
    for problem in problems:
        print(f"  {problem}", file=sys.stderr)
    raise SystemExit(EX_CONFIG)
