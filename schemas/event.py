"""The base class of events, and the catalogue of all event classes."""

from collections.abc import Callable
from typing import ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict

from schemas.topics import PUBLISHERS, TOPICS

CATALOGUE: dict[tuple[str, int], "type[Event]"] = {}
"""(type, version) → class. Filled by importing ``schemas``."""

E = TypeVar("E", bound="Event")


def source_of(service: str) -> str:
    """What CloudEvents call the source of the events that a service publishes."""
    return f"/shopstream/{service}"


class Event(BaseModel):
    """Something that happened to one aggregate.

    Readers ignore fields that they do not know, so adding an optional field needs no new version.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    type: ClassVar[str]
    """What happened, in the past tense: ``order.placed``."""
    version: ClassVar[int]
    """Version of this type's schema, from 1."""
    topic: ClassVar[str]
    source: ClassVar[str]
    """The service that alone publishes it, as CloudEvents' ``source``: ``/shopstream/order_svc``."""
    key_field: ClassVar[str]

    @property
    def key(self) -> str:
        """The id of the aggregate; as the key in Kafka, it keeps the events of an aggregate in order."""
        return str(getattr(self, self.key_field))


def event(
    name: str, *, topic: str, key: str, version: int = 1, publisher: str | None = None
) -> Callable[[type[E]], type[E]]:
    """Register an event class in the catalogue.

    ``key`` names the field with the aggregate's id, ``publisher`` the service, where several publish on the topic.
    Raise ``ValueError``, at import, for a name and version that are already registered, an unknown topic, a key that
    is not a field, or a publisher that is missing.
    """
    owner = publisher or PUBLISHERS.get(topic)

    def register(cls: type[E]) -> type[E]:
        if (name, version) in CATALOGUE:
            raise ValueError(f"{name} version {version} is already in the catalogue")
        if topic not in TOPICS or key not in cls.model_fields:
            raise ValueError(f"{cls.__name__}: no such topic {topic!r} or field {key!r}")
        if owner is None:
            raise ValueError(f"{cls.__name__}: several services publish on {topic}, say which publishes this")
        cls.type, cls.version, cls.topic, cls.key_field = name, version, topic, key
        cls.source = source_of(owner)
        CATALOGUE[name, version] = cls
        return cls

    return register
