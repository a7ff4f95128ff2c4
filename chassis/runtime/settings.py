"""Settings come from the environment; a wrong or missing one ends the start and is named."""

import sys
from typing import Annotated, Literal, NoReturn, TypeVar

from pydantic import Field, PostgresDsn, UrlConstraints, ValidationError, ValidationInfo, field_validator
from pydantic_core import Url
from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis.runtime.failpoints import parse

S = TypeVar("S", bound=BaseSettings)

EX_CONFIG = 78
"""Exit status for a configuration error (sysexits.h)."""

SmtpUrl = Annotated[Url, UrlConstraints(allowed_schemes=["smtp", "smtps"], host_required=True)]
HttpUrl = Annotated[Url, UrlConstraints(allowed_schemes=["http", "https"], host_required=True)]
Port = Annotated[int, Field(ge=0, le=65535)]


class Settings(BaseSettings):
    """The settings of every process of every service. The environment variable is the field's name in capitals."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_ignore_empty=True, use_attribute_docstrings=True
    )

    shop_env: Literal["development", "production"] = "development"
    """The kind of installation. ``production`` refuses settings that are unsafe there."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """The least severe log records that the process writes."""
    log_format: Literal["json", "console"] = "json"
    """``json`` writes one JSON object per line, ``console`` coloured text for people."""
    host: str = "127.0.0.1"
    """Address to listen on: for the REST API, or for the health and metrics of an event process."""
    port: Port = 0
    """TCP port to listen on; 0 picks a free one."""
    kafka_bootstrap_servers: str = Field(pattern=r"^[^:,\s]+:\d+(,[^:,\s]+:\d+)*$")
    """Kafka brokers to connect to first: ``host:port[,host:port]``."""
    kafka_prefix: str = Field(default="", pattern=r"^[A-Za-z0-9._-]*$")
    """Prefix of all topic and consumer group names, so that several installations can share a cluster."""
    jwt_issuer: str = "shopstream"
    """The ``iss`` claim of access tokens; all services need the same value."""
    jwt_audience: str = "shopstream"
    """The ``aud`` claim of access tokens; all services need the same value."""
    http_connections: int = Field(default=2000, ge=1, le=100_000)
    """Most clients that are connected at once; fewer where the process can open fewer files (``ulimit -n``)."""
    http_requests: int = Field(default=1000, ge=1, le=100_000)
    """Most requests that a REST process works on at once; more get 503 and ``Retry-After``."""
    http_header_seconds: float = Field(default=10.0, gt=0, le=600)
    """Seconds in which the headers of a request have to arrive."""
    http_body_seconds: float = Field(default=30.0, gt=0, le=600)
    """Seconds in which the body of a request has to arrive, after its headers."""
    failpoints: str = ""
    """For tests: where this process fails on purpose, ``point=action[@nth][,…]``. Refused in production."""

    @field_validator("failpoints")
    @classmethod
    def _check_failpoints(cls, text: str, info: ValidationInfo) -> str:
        if parse(text) and info.data.get("shop_env") == "production":
            raise ValueError("fail points are for tests only, and SHOP_ENV is production")
        return text


class PostgresSettings(Settings):
    """A service with a PostgreSQL database of its own."""

    postgres_url: PostgresDsn
    """The service's own PostgreSQL database: ``postgresql://user:password@host:port/database``."""


def load(cls: type[S], service: str) -> S:
    """Read the settings, or end the process naming every setting that is wrong."""
    try:
        return cls()
    except ValidationError as error:
        _refuse(service, error)


def _refuse(service: str, error: ValidationError) -> NoReturn:
    print(f"{service} cannot start, its settings are not right:", file=sys.stderr)
    for one in error.errors():
        name = str(one["loc"][0]).upper() if one["loc"] else "settings"
        what = "is not set" if one["type"] == "missing" else one["msg"].removeprefix("Value error, ")
        print(f"  {name}: {what}", file=sys.stderr)
    raise SystemExit(EX_CONFIG)
