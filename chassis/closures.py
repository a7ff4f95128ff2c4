"""TEMPORARY: closures as commands, until every service has command objects."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from schemas import Envelope


@dataclass(frozen=True)
class Closure:
    decide: Callable[[Any], Any]
    wants: Callable[[Any], None]

    def prefetch(self, uow: Any) -> None:
        self.wants(uow)

    def execute(self, uow: Any) -> Any:
        return self.decide(uow)


@dataclass(frozen=True)
class Handler:
    effect: Callable[[Any, Any], Any]
    wants: Callable[[Any, Any], None]

    def __call__(self, envelope: Envelope[Any]) -> Closure:
        return Closure(lambda uow: self.effect(uow, envelope), lambda uow: self.wants(uow, envelope.event))
