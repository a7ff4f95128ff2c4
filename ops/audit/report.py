"""The input and the output of an audit."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

Headers = Callable[[], Awaitable[Mapping[str, str]]]
"""Returns the authorisation headers (role ops); awaited before each request, since tokens expire."""

Progress = Callable[[str, int], object]
"""Called with what is being read, and how much of it has been read so far."""


@dataclass(frozen=True, slots=True)
class Shop:
    """Where a running platform is: the base URLs of its REST APIs, and its Kafka cluster."""

    customer: str
    product: str
    order: str
    notifier: str
    kafka: str
    """``host:port[,host:port]``"""
    kafka_prefix: str = ""

    @property
    def services(self) -> dict[str, str]:
        """The base URLs of the REST APIs, by service."""
        return {"customer": self.customer, "product": self.product, "order": self.order, "notifier": self.notifier}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that breaks a rule. ``check`` is a stable code, ``subject`` what it is about."""

    check: str
    subject: str
    detail: str


@dataclass(slots=True)
class Report:
    """What was found, and how much was read."""

    findings: list[Finding] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    """What could not be checked, and why."""

    @property
    def ok(self) -> bool:
        """Whether there are no findings."""
        return not self.findings
