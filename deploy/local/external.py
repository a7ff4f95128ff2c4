"""Servers that are already there: their URLs are set in the environment, so nothing is started."""

from collections.abc import Callable

from deploy.local.errors import Prerequisite
from deploy.local.kafka import kafka_trouble
from deploy.local.mail import smtp_trouble
from deploy.local.mongo import mongo_trouble
from deploy.local.postgres import postgres_trouble

SETTINGS: dict[str, tuple[str, Callable[[str], str]]] = {
    "kafka": ("KAFKA_BOOTSTRAP_SERVERS", kafka_trouble),
    "postgres": ("POSTGRES_URL", postgres_trouble),
    "mongo": ("MONGO_URL", mongo_trouble),
    "mail": ("SMTP_URL", smtp_trouble),
}
"""By server: the setting that replaces it, and how to see that it answers."""


class External:
    """A server somebody else runs, with the verbs of the local ones."""

    pid = None
    log = None

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.url = url

    def prepare(self) -> None:
        """Nothing is needed beforehand."""

    def start(self) -> None:
        """It runs already."""

    def ready(self) -> None:
        """Check that it answers; raise ``Prerequisite`` naming the setting if it does not."""
        setting, trouble = SETTINGS[self.name]
        reason = trouble(self.url)
        if reason:
            raise Prerequisite(
                f"{setting} is set, but {self.name} cannot be used there ({reason}): start it, or unset it"
            )

    def stop(self, grace: float = 0) -> None:
        """It is not ours to stop."""
