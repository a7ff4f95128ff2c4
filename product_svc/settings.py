"""The settings of product_svc."""

import re
from typing import Annotated
from urllib.parse import unquote

from pydantic import AfterValidator, Field, MongoDsn, ValidationInfo, field_validator

from chassis.runtime.production import check_secret, in_production
from chassis.runtime.settings import ServiceUrl, Settings


def _names_a_database(url: MongoDsn) -> MongoDsn:
    if not re.fullmatch(r"/[A-Za-z0-9_-]{1,63}", url.path or ""):
        raise ValueError("names no database: mongodb://host:port/database?replicaSet=name")
    return url


DatabaseUrl = Annotated[MongoDsn, AfterValidator(_names_a_database)]
"""``mongodb://host:port,host:port/database?replicaSet=name``; transactions need a replica set."""


class WorkerSettings(Settings):
    """The event process."""

    mongo_url: DatabaseUrl
    """The service's own database, in a replica set: ``mongodb://user:password@host:port/database?replicaSet=name``."""

    @field_validator("mongo_url")
    @classmethod
    def _check_credentials(cls, url: MongoDsn, info: ValidationInfo) -> MongoDsn:
        if in_production(info):
            host = url.hosts()[0]
            if not (host["username"] and host["password"]):
                raise ValueError("has no user and password, and SHOP_ENV is production")
            check_secret(unquote(host["password"]))
        return url


class RestSettings(WorkerSettings):
    """The REST process."""

    jwks_url: ServiceUrl
    """URL of customer_svc's public keys, which verify access tokens: ``…/.well-known/jwks.json``."""
    idempotency_seconds: float = Field(default=86_400.0, gt=0, le=31_536_000)
    """Minimum seconds for which a repeated ``Idempotency-Key`` gets the first response again."""
    facets_seconds: float = Field(default=5.0, ge=0, le=3600)
    """Seconds for which counts and suggestions are kept, and longer where they take long to make; 0 keeps none."""
