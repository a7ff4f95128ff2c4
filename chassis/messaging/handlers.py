"""What a service reacts to: the type of an event → the command that handles it."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal, Protocol, TypeVar

from chassis.persistence.command import Command
from chassis.persistence.unit_of_work import UnitOfWork
from schemas import Envelope, Event

U = TypeVar("U", bound=UnitOfWork)
U_contra = TypeVar("U_contra", bound=UnitOfWork, contravariant=True)

OnRepeat = Literal["refuse", "converge"]
"""What a replay may do with an event that was handled before.

``converge``: it may run the handler again, which then changes no row and emits nothing, however long ago the event
was handled. ``refuse``: it must not.
"""


class Handler(Command[U_contra, object], Protocol[U_contra]):
    """A command whose one field is the event's ``envelope``."""

    on_repeat: ClassVar[OnRepeat]


Handlers = Mapping[type[Event], Callable[[Envelope[Any]], Handler[U]]]
"""Event → the class of the command that handles it; ``handlers.py`` lists all of a service."""


def on_repeat(handler: Callable[..., object]) -> OnRepeat:
    """What a handler declares; one that declares nothing refuses."""
    declared: OnRepeat = getattr(handler, "on_repeat", "refuse")
    return declared
