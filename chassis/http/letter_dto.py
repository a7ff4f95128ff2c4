"""Dead letters as ops see them."""

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import groupby
from typing import Annotated
from uuid import UUID

from pydantic import Field

from chassis.http.bodies import RequestBody, ResponseBody
from chassis.http.examples import ID
from chassis.http.ops_actions import Why
from chassis.http.paging import Page
from chassis.messaging.dead_letters import LetterState, StoredLetter
from chassis.messaging.records import printable


class LetterOut(ResponseBody):
    """A dead letter, without its value, which may be personal data."""

    event_id: UUID
    group: Annotated[str, Field(examples=["order_svc"])]
    state: Annotated[
        LetterState,
        Field(
            description="`dead`: it could not be handled; `parked`: it is behind one that could not; `redriven` and"
            " `discarded`: it is closed",
        ),
    ]
    stream: Annotated[
        str | None,
        Field(description="topic and key: the unit of ordering", examples=[f"stock.events/{ID}"]),
    ]
    topic: Annotated[str, Field(examples=["stock.events"])]
    partition: Annotated[int, Field(examples=[0])]
    offset: Annotated[int, Field(examples=[4711])]
    key: Annotated[str | None, Field(examples=[ID])]
    type: Annotated[str | None, Field(description="as its headers say", examples=["stock.reserved"])]
    reason: Annotated[
        str,
        Field(
            description="`bad_headers`, `unknown_type`, `bad_payload`, `misplaced`, `handler_failed` or `parked`",
            examples=["handler_failed"],
        ),
    ]
    detail: Annotated[str, Field(examples=["LookupError('a reply about an order that was never stored')"])]
    fingerprint: Annotated[
        str, Field(description="equal for letters with the same cause", examples=["9f86d081884c7d65"])
    ]
    edited: Annotated[bool, Field(examples=[False])]
    redrives: Annotated[int, Field(description="in vain, since it was edited the last time", examples=[0])]
    redacted: Annotated[
        bool, Field(description="its value was removed, because its customer was erased", examples=[False])
    ]
    at: datetime


class LettersOut(Page[LetterOut, UUID]):
    """Dead letters, in the order of their events' ids."""


class LetterGroupOut(ResponseBody):
    """Open dead letters with the same cause, type or key."""

    value: Annotated[str, Field(description="the cause, type or key", examples=["9f86d081884c7d65"])]
    type: Annotated[str | None, Field(examples=["stock.reserved"])]
    reason: Annotated[str, Field(examples=["handler_failed"])]
    detail: Annotated[
        str,
        Field(description="of one of them", examples=["LookupError('a reply about an order that was never stored')"]),
    ]
    dead: Annotated[int, Field(examples=[3])]
    parked: Annotated[int, Field(examples=[12])]
    first_at: datetime
    last_at: datetime
    example: Annotated[UUID, Field(description="the event of one of them")]


class LetterGroupsOut(ResponseBody):
    """Groups of open dead letters, the largest first."""

    items: list[LetterGroupOut]


class RevealedOut(ResponseBody):
    """The value of a dead letter, which may be personal data."""

    event_id: UUID
    value: Annotated[str | None, Field(examples=['{"order_id": "…"}'])]
    original: Annotated[
        str | None, Field(description="the value before it was edited the first time", examples=[None])
    ]


class EditBody(RequestBody):
    """The new value of a dead letter."""

    value: Annotated[
        str, Field(min_length=1, max_length=200_000, description="the event as JSON", examples=['{"order_id": "…"}'])
    ]
    why: Why


def letter_out(letter: StoredLetter) -> LetterOut:
    """A letter for a response."""
    record = letter.record
    type_ = next((value for name, value in record.headers if name == "ce_type"), None)
    return LetterOut(
        event_id=letter.event_id,
        group=letter.group,
        state=letter.state,
        stream=record.stream,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=None if record.key is None else printable(record.key),
        type=None if type_ is None else printable(type_),
        reason=letter.reason,
        detail=letter.detail,
        fingerprint=letter.fingerprint,
        edited=letter.original is not None,
        redrives=letter.redrives,
        redacted=letter.redacted,
        at=letter.at,
    )


def letter_groups(letters: Iterable[LetterOut], value: Callable[[LetterOut], str]) -> LetterGroupsOut:
    """Letters grouped by a value, the largest group first."""
    groups = [_group(name, list(group)) for name, group in groupby(sorted(letters, key=value), key=value)]
    return LetterGroupsOut(items=sorted(groups, key=lambda group: -(group.dead + group.parked)))


def _group(name: str, letters: list[LetterOut]) -> LetterGroupOut:
    shown = next((letter for letter in letters if letter.state == "dead"), letters[0])
    times = [letter.at for letter in letters]
    return LetterGroupOut(
        value=name,
        type=shown.type,
        reason=shown.reason,
        detail=shown.detail,
        dead=sum(letter.state == "dead" for letter in letters),
        parked=sum(letter.state == "parked" for letter in letters),
        first_at=min(times),
        last_at=max(times),
        example=shown.event_id,
    )
