"""External servers: their addresses are set in the environment, so that nothing is started for them."""

from collections.abc import Callable, Mapping

from deploy.local.errors import PrerequisiteMissing
from deploy.local.kafka import kafka_problem
from deploy.local.mail import smtp_problem
from deploy.local.mongo import mongo_problem
from deploy.local.postgres import postgres_problem
from deploy.resources import Server
from deploy.system import KAFKA, MAIL, MONGO, POSTGRES

PROBES: Mapping[Server, Callable[[str], str]] = {
    KAFKA: kafka_problem,
    POSTGRES: postgres_problem,
    MONGO: mongo_problem,
    MAIL: smtp_problem,
}
"""By server: a check of its address that returns what is wrong, or nothing."""


class ExternalServer:
    """A server that runs independently of us, with the methods of a local one."""

    pid = None
    log = None

    def __init__(self, server: Server, url: str) -> None:
        self.name = server.name
        self.url = url
        self._server = server

    def prepare(self) -> None:
        """Do nothing: it is prepared."""

    def start(self) -> None:
        """Do nothing: it runs already."""

    def ready(self) -> None:
        """Check that it can be used; raise ``PrerequisiteMissing``, naming the setting, if it cannot."""
        problem = PROBES[self._server](self.url)
        if problem:
            raise PrerequisiteMissing(
                f"{self._server.setting} is set, but {self.name} cannot be used there ({problem}):"
                " start it, or unset the setting"
            )

    def stop(self, grace: float = 0) -> None:
        """Do nothing: we did not start it."""
