"""The base of every event, and the catalogue of all of them."""

from collections.abc import Callable
from typing import ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict

from schemas.topics import TOPICS

CATALOGUE: dict[tuple[str, int], "type[Event]"] = {}
"""(type, version) → class. Filled by importing ``schemas``."""

E = TypeVar("E", bound="Event")


class Event(BaseModel):
    """Something that happened to one aggregate.

    Readers ignore fields they do not know, so that adding an optional field needs no new version.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    type: ClassVar[str]
    """What happened, as a past fact: ``order.placed``."""
    version: ClassVar[int]
    """Version of this type's schema, from 1."""
    topic: ClassVar[str]
    key_field: ClassVar[str]

    @property
    def key(self) -> str:
        """The id of the aggregate: the Kafka key, within which order is kept."""
        return str(getattr(self, self.key_field))


def event(name: str, *, topic: str, key: str, version: int = 1) -> Callable[[type[E]], type[E]]:
    """Enter an event class in the catalogue.

    ``key`` names the field that holds the aggregate's id. A name and version entered twice, an unknown
    topic or a key that is no field raise ``ValueError`` at import.
    """

    def enter(cls: type[E]) -> type[E]:
        if (name, version) in CATALOGUE:
            raise ValueError(f"{name} version {version} is in the catalogue already")
        if topic not in TOPICS or key not in cls.model_fields:
            raise ValueError(f"{cls.__name__}: no such topic {topic!r} or field {key!r}")
        cls.type, cls.version, cls.topic, cls.key_field = name, version, topic, key
        CATALOGUE[name, version] = cls
        return cls

    return enter
