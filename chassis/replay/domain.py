"""What a replay does with each record: one pure function, which the plan and the run share."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple
from uuid import UUID

from chassis.messaging.records import KafkaRecord, id_of, place_id_of, printable
from schemas import CustomerErased, Event, MailsAnonymised, OrdersAnonymised, Undecodable, decode_type, misplaced

Mode = Literal["missing", "again"]
Verdict = Literal[
    "not_subscribed",
    "filtered",
    "repeated",
    "dead_lettered",
    "handled",
    "refused",
    "erased",
    "to_bring",
]

MODULUS = 2**128

ABOUT_ERASURES: Collection[type[Event]] = (CustomerErased, OrdersAnonymised, MailsAnonymised)
"""Brought although they are about a customer who was erased."""

_CUSTOMER = re.compile(rb'"customer_id": ?"([0-9a-f-]{36})"')


@dataclass(frozen=True, slots=True)
class Selection:
    """Which events ops have asked for; None selects all."""

    type: str | None = None
    key: str | None = None
    trace: str | None = None
    since: int | None = None
    """Milliseconds since 1970."""
    until: int | None = None

    def selects(self, header: "Header", at: int) -> bool:
        """Whether an event, published at a time, is selected."""
        return (
            (self.type is None or header.type == self.type)
            and (self.key is None or header.key == self.key)
            and (self.trace is None or self.trace in header.trace)
            and (self.since is None or at >= self.since)
            and (self.until is None or at < self.until)
        )


class Header(NamedTuple):
    """What the headers of a record say; the value is not looked at."""

    event_id: UUID
    cls: type[Event] | None
    """None where no class of this installation can read it, or it is not where its event belongs."""
    type: str
    key: str
    trace: str


@dataclass(frozen=True, slots=True)
class Known:
    """What the group knows about some events."""

    handled: Collection[UUID]
    letters: Collection[UUID]
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """What a group handles, and in which mode it is replayed."""

    mode: Mode
    handles: Collection[type[Event]]
    convergent: Collection[type[Event]]
    """Those that may be handled again."""


def verdict(group: Group, selection: Selection, read: Header, at: int, known: Known, *, erased: bool) -> Verdict:
    """What a replay does with a record. ``erased`` says whether the event is about a customer who was erased."""
    if read.cls is not None and read.cls not in group.handles:
        return "not_subscribed"
    if not selection.selects(read, at):
        return "filtered"
    if known.repeated:
        return "repeated"
    if read.event_id in known.letters:
        return "dead_lettered"
    if group.mode == "missing" and read.event_id in known.handled:
        return "handled"
    if group.mode == "again" and (read.cls not in group.convergent or read.event_id not in known.handled):
        return "refused"
    return "erased" if erased else "to_bring"


def header_of(record: KafkaRecord) -> Header:
    """Read the headers."""
    headers = dict(record.headers)
    event_id, cls = id_of(record, headers), _class_of(headers)
    if cls is not None:
        subject, source = (printable(headers.get(name, b"")) for name in ("ce_subject", "ce_source"))
        if misplaced(cls, record, subject, source):
            event_id, cls = place_id_of(record), None
    return Header(
        event_id,
        cls,
        printable(headers.get("ce_type", b"")),
        printable(record.key or b""),
        printable(headers.get("ce_traceparent", b"")),
    )


def _class_of(headers: Mapping[str, bytes]) -> type[Event] | None:
    try:
        return decode_type(headers.get("ce_dataschema", b""))
    except Undecodable:
        return None


def customer_of(record: KafkaRecord, cls: type[Event] | None) -> str | None:
    """The customer that an event is about, found without decoding it; None for what must be brought anyway."""
    if cls in ABOUT_ERASURES:
        return None
    if record.topic == "customer.events":
        return printable(record.key or b"")
    found = _CUSTOMER.search(record.value or b"")
    return found[1].decode() if found else None


@dataclass(slots=True)
class Sum:
    """How many events there are, and the sum of their ids: equal for equal sets, in whatever order."""

    count: int = 0
    digest: int = 0

    def add(self, event_id: UUID) -> None:
        """Add an event."""
        self.count += 1
        self.digest = (self.digest + event_id.int) % MODULUS

    def minus(self, other: "Sum") -> "Sum":
        """What is here and not there, where all that is there is here."""
        return Sum(self.count - other.count, (self.digest - other.digest) % MODULUS)

    def plus(self, other: "Sum") -> "Sum":
        """Both together."""
        return Sum(self.count + other.count, (self.digest + other.digest) % MODULUS)

    @property
    def hex(self) -> str:
        """The digest as text."""
        return f"{self.digest:032x}"

    def stored(self) -> list[str | int]:
        """As JSON."""
        return [self.count, self.hex]

    @classmethod
    def read(cls, stored: Collection[str | int] | None) -> "Sum":
        """From JSON."""
        count, digest = stored or (0, "0")
        return cls(int(count), int(str(digest), 16))


@dataclass(slots=True)
class Tally:
    """Records by verdict. ``known`` are those that need not be brought: handled, dead-lettered or erased."""

    verdicts: dict[Verdict, int] = field(default_factory=dict)
    to_bring: Sum = field(default_factory=Sum)
    known: Sum = field(default_factory=Sum)

    def add(self, found: Verdict, event_id: UUID) -> None:
        """Count a record."""
        self.verdicts[found] = self.verdicts.get(found, 0) + 1
        if found == "to_bring":
            self.to_bring.add(event_id)
        elif found in ("handled", "dead_lettered", "erased"):
            self.known.add(event_id)

    @property
    def on_topic(self) -> int:
        """All records."""
        return sum(self.verdicts.values())
