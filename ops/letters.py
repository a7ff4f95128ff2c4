"""Dead letters: an event may be one in several services, because each group handles it by itself."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ops.errors import CannotDo
from ops.rest import Refused, Rest

LETTERS = "/v1/ops/letters"
REDRIVES = "/v1/ops/redrives"
OPEN = ("dead", "parked")


@dataclass(frozen=True)
class FoundLetter:
    """A dead letter, and the service that keeps it."""

    service: str
    document: dict[str, Any]

    @property
    def event(self) -> str:
        """The id of its event."""
        return str(self.document["event_id"])

    @property
    def url(self) -> str:
        """Its path."""
        return f"{LETTERS}/{self.event}"

    @property
    def open(self) -> bool:
        """Whether it blocks its stream."""
        return self.document["state"] in OPEN


async def list_letters(rest: Rest, services: Sequence[str], **filters: Any) -> list[dict[str, Any]]:
    """The dead letters of these services; filters are those of the REST API."""

    async def of(service: str) -> list[dict[str, Any]]:
        return [letter async for letter in rest.items(service, LETTERS, **filters)]

    return [letter for letters in await asyncio.gather(*map(of, services)) for letter in letters]


async def group_letters(rest: Rest, services: Sequence[str], **query: Any) -> list[dict[str, Any]]:
    """The open dead letters of these services, counted; the largest group first."""

    async def of(service: str) -> list[dict[str, Any]]:
        found = await rest.get(service, f"{LETTERS}/groups", **query)
        return [{"group": f"{service}_svc", **one} for one in found["items"]]

    groups = [one for found in await asyncio.gather(*map(of, services)) for one in found]
    return sorted(groups, key=lambda one: -(one["dead"] + one["parked"]))


async def find_letters(rest: Rest, services: Sequence[str], event: UUID) -> list[FoundLetter]:
    """An event's letters in these services, the open ones if there are any; raise ``CannotDo`` if there is none."""
    answers = await asyncio.gather(
        *(rest.get(service, f"{LETTERS}/{event}") for service in services), return_exceptions=True
    )
    found = []
    for service, answer in zip(services, answers, strict=True):
        if isinstance(answer, dict):
            found.append(FoundLetter(service, answer))
        elif not (isinstance(answer, Refused) and answer.code == "letter_not_found"):
            raise answer
    if not found:
        raise CannotDo(f"{event} is no dead letter" + (f" of {services[0]}_svc" if len(services) == 1 else ""))
    return [one for one in found if one.open] or found


async def find_letter(rest: Rest, services: Sequence[str], event: UUID) -> FoundLetter:
    """An event's letter; raise ``CannotDo`` if there is none, or more than one."""
    found = await find_letters(rest, services, event)
    if len(found) > 1:
        groups = " and of ".join(str(one.document["group"]) for one in found)
        raise CannotDo(f"{event} is a dead letter of {groups}: say which with --group")
    return found[0]


async def services_with_dead(rest: Rest, services: Sequence[str], **filters: Any) -> list[str]:
    """The services that have a matching letter that can be redriven; raise ``CannotDo`` if there is none."""

    async def has(service: str) -> bool:
        found = await rest.get(service, LETTERS, state="dead", limit=1, **filters)
        return bool(found["items"])

    answers = await asyncio.gather(*map(has, services))
    matching = [service for service, yes in zip(services, answers, strict=True) if yes]
    if not matching:
        raise CannotDo("no dead letter matches")
    return matching
