"""Dead letters for ops: list, show, reveal, edit, discard, and redrive them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query

from chassis.http.access_log import log_access
from chassis.http.auth import Ops
from chassis.http.errors import IdempotencyKeyReused
from chassis.http.examples import ID
from chassis.http.letter_dto import (
    EditBody,
    LetterGroupsOut,
    LetterOut,
    LettersOut,
    RevealedOut,
    letter_groups,
    letter_out,
)
from chassis.http.ops_actions import MAX_TEXT, ActionRequest, Reason, RequiredKey, Store, do_once
from chassis.http.ops_errors import LetterClosed, LetterNotFound, LetterRedacted, LetterUndecodable
from chassis.http.paging import IdCursor, PageSize
from chassis.http.routing import problems
from chassis.messaging.dead_letters import OPEN, LetterFilter, LetterState, StoredLetter
from chassis.messaging.records import printable
from chassis.persistence.database import JobStore
from schemas import Undecodable, decode
from schemas.values import Text

PAGE = 500
MOST_IN_STREAM = 100_000

By = Literal["fingerprint", "type", "key"]
Grouping = Annotated[By, Query(description="what to group by", examples=["type"])]
States = Annotated[
    list[LetterState] | None, Query(description="by default the open: dead, parked", examples=[["dead"]])
]
Type = Annotated[
    Text | None, Query(max_length=MAX_TEXT, description="type of the event", examples=["stock.reserved"])
]
EventKey = Annotated[Text | None, Query(max_length=MAX_TEXT, description="key of the event", examples=[ID])]
Fingerprint = Annotated[
    Text | None,
    Query(max_length=MAX_TEXT, description="equal for letters with the same cause", examples=["9f86d081884c7d65"]),
]
BY: dict[By, Callable[[LetterOut], str]] = {
    "fingerprint": lambda letter: letter.fingerprint,
    "type": lambda letter: letter.type or "",
    "key": lambda letter: letter.key or "",
}


def add_letters(router: APIRouter) -> None:
    """Add the routes."""

    @router.get("/letters", summary="List dead letters")
    async def list_letters(
        _ops: Ops,
        store: Store,
        state: States = None,
        type: Type = None,
        key: EventKey = None,
        fingerprint: Fingerprint = None,
        cursor: IdCursor = None,
        limit: PageSize = 50,
    ) -> LettersOut:
        """Events that could not be handled, and those parked behind them; never their values."""
        wanted = LetterFilter(state or OPEN, type, key, fingerprint)
        found = await store.dead_letters.find(wanted, cursor, limit + 1)
        items = [letter_out(letter) for letter in found[:limit]]
        return LettersOut(items=items, next=items[-1].event_id if len(found) > limit else None)

    @router.get("/letters/groups", summary="Count dead letters by cause")
    async def group_letters(
        _ops: Ops,
        store: Store,
        by: Grouping = "fingerprint",
        type: Type = None,
        key: EventKey = None,
        fingerprint: Fingerprint = None,
    ) -> LetterGroupsOut:
        """The open dead letters, counted by cause, type or key; the largest group first."""
        found = await _all(store, LetterFilter(OPEN, type, key, fingerprint))
        return letter_groups(map(letter_out, found), BY[by])

    @router.get("/letters/{event_id}", summary="Read a dead letter", responses=problems(LetterNotFound))
    async def read_letter(event_id: UUID, _ops: Ops, store: Store) -> LetterOut:
        """Everything about it but its value."""
        return letter_out(await _letter(store, event_id))

    @router.post(
        "/letters/{event_id}/reveal",
        status_code=200,
        summary="Read the value of a dead letter",
        responses=problems(LetterNotFound, LetterRedacted, IdempotencyKeyReused),
    )
    async def reveal_letter(event_id: UUID, body: Reason, key: RequiredKey, ops: Ops, store: Store) -> RevealedOut:
        """The value, which may be personal data. That it was read, by whom and why, is recorded."""
        letter = await _letter(store, event_id)
        if letter.redacted:
            raise LetterRedacted

        async def nothing(_tx: object) -> str:
            return str(event_id)

        await do_once(store, ActionRequest(ops, key, "letter.reveal", str(event_id), body), body.why, nothing)
        log_access(ops, "letter.reveal", event_id)
        value, original = letter.record.value, letter.original
        return RevealedOut(
            event_id=event_id,
            value=None if value is None else printable(value),
            original=None if original is None else printable(original),
        )

    @router.post(
        "/letters/{event_id}/edit",
        status_code=200,
        summary="Replace the value of a dead letter",
        responses=problems(LetterNotFound, LetterClosed, LetterRedacted, LetterUndecodable, IdempotencyKeyReused),
    )
    async def edit_letter(event_id: UUID, body: EditBody, key: RequiredKey, ops: Ops, store: Store) -> LetterOut:
        """Id, key and headers stay; the first value is kept. It can be edited again, until it is closed."""

        async def work(tx: object) -> str:
            letter, _ = await _lock(store, tx, event_id)
            await store.dead_letters.update(tx, [_edited(letter, body.value.encode())])
            return str(event_id)

        await do_once(store, ActionRequest(ops, key, "letter.edit", str(event_id), body), body.why, work)
        return letter_out(await _letter(store, event_id))

    @router.post(
        "/letters/{event_id}/discard",
        status_code=200,
        summary="Discard a dead letter",
        responses=problems(LetterNotFound, LetterClosed, IdempotencyKeyReused),
    )
    async def discard_letter(event_id: UUID, body: Reason, key: RequiredKey, ops: Ops, store: Store) -> LetterOut:
        """It will never be handled. The next letter of its stream becomes the head, and can be redriven."""

        async def work(tx: object) -> str:
            letter, rest = await _lock(store, tx, event_id)
            changed = [replace(letter, state="discarded")]
            if rest and rest[0].state == "parked" and letter.state == "dead":
                changed.append(replace(rest[0], state="dead"))
            await store.dead_letters.update(tx, changed)
            return str(event_id)

        await do_once(store, ActionRequest(ops, key, "letter.discard", str(event_id), body), body.why, work)
        return letter_out(await _letter(store, event_id))


async def _all(store: JobStore[object], wanted: LetterFilter) -> list[StoredLetter]:
    letters: list[StoredLetter] = []
    while page := await store.dead_letters.find(wanted, letters[-1].event_id if letters else None, PAGE):
        letters += page
    return letters


async def _letter(store: JobStore[object], event_id: UUID) -> StoredLetter:
    letter = await store.dead_letters.get(event_id)
    if letter is None:
        raise LetterNotFound
    return letter


async def _lock(store: JobStore[object], tx: object, event_id: UUID) -> tuple[StoredLetter, Sequence[StoredLetter]]:
    """A letter, and those behind it on its stream, all locked; raise ``LetterNotFound``, ``LetterClosed``."""
    letters = await store.dead_letters.lock_stream(tx, event_id, MOST_IN_STREAM)
    for nth, letter in enumerate(letters):
        if letter.event_id == event_id:
            return letter, letters[nth + 1 :]
    raise LetterClosed(state=(await _letter(store, event_id)).state)


def _edited(letter: StoredLetter, value: bytes) -> StoredLetter:
    if letter.redacted:
        raise LetterRedacted
    try:
        decode(letter.record.headers, value)
    except Undecodable as error:
        raise LetterUndecodable(f"The new value cannot be decoded: {error}", reason=error.reason) from error
    original = letter.record.value if letter.original is None else letter.original
    record = replace(letter.record, value=value)
    # Whatever it failed for may be gone: it may be redriven as often as a new letter.
    return replace(letter, record=record, original=original or b"", redrives=0)
