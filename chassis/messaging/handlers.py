"""What a service reacts to: the type of an event → the command that handles it."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from chassis.persistence.command import Command
from chassis.persistence.unit_of_work import UnitOfWork
from schemas import Envelope, Event

U = TypeVar("U", bound=UnitOfWork)

Handlers = Mapping[type[Event], Callable[[Envelope[Any]], Command[U, object]]]
"""A handler is a command whose one field is the event's ``envelope``; ``handlers.py`` lists all of a service."""
