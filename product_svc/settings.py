"""What product_svc can be told."""

from chassis.settings import HttpUrl, MongoUrl, Settings


class WorkerSettings(Settings):
    """The event process."""

    mongo_url: MongoUrl
    """``mongodb://host:port/database?replicaSet=name``; transactions need a replica set."""


class RestSettings(WorkerSettings):
    """The REST front."""

    jwks_url: HttpUrl
    """Where customer_svc publishes the keys of access tokens."""
