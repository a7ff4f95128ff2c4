"""What an audit is asked about, and what it answers."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

Headers = Callable[[], Awaitable[Mapping[str, str]]]
"""The headers that say who is asking (role ops); asked for anew before each request, since tokens expire."""

Progress = Callable[[str, int], object]
"""Told what is being read, and how many of it have been."""


class CannotAudit(Exception):
    """Something could not be reached, or broke off; the message is one line that names it."""


@dataclass(frozen=True, slots=True)
class Shop:
    """Where a running platform is: the base URLs of its REST fronts, and its Kafka cluster."""

    customer: str
    product: str
    order: str
    notifier: str
    kafka: str
    """``host:port[,host:port]``"""
    kafka_prefix: str = ""

    @property
    def services(self) -> dict[str, str]:
        """The REST fronts by name."""
        return {"customer": self.customer, "product": self.product, "order": self.order, "notifier": self.notifier}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that should not be. ``check`` is a stable code, ``subject`` what it is about."""

    check: str
    subject: str
    detail: str


@dataclass(slots=True)
class Report:
    """What was found, and how much was looked at."""

    findings: list[Finding] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    """What could not be checked, and why."""

    @property
    def ok(self) -> bool:
        """Nothing is wrong."""
        return not self.findings
