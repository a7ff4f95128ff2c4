"""The options of ``shop replay``."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer


class Mode(StrEnum):
    """Which events to bring."""

    MISSING = "missing"
    AGAIN = "again"


class Mails(StrEnum):
    """What becomes of the mails that the events cause."""

    SEND = "send"
    WITHHOLD = "withhold"
    NEVER_SENT = "never-sent"


@dataclass(frozen=True)
class Offsets:
    """A part of a partition: ``first`` ≤ offset < ``end``."""

    partition: int
    first: int
    end: int


def _offsets(text: str) -> Offsets:
    found = re.fullmatch(r"(\d{1,5}):(\d{1,18})-(\d{1,18})", text)
    offsets = Offsets(*map(int, found.groups())) if found else None
    if offsets is None or offsets.first >= offsets.end:
        raise typer.BadParameter(f"{text!r} are no offsets: 0:100-200 are 100 to 199 of partition 0")
    return offsets


def _job_id(text: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F-]{1,36}", text):
        raise typer.BadParameter(f"{text!r} is no id of a replay, and not the start of one")
    return text.lower()


JobId = Annotated[
    str,
    typer.Argument(parser=_job_id, metavar="ID", help="The id of a replay, or a start that no other has."),
]
MailsOption = Annotated[
    Mails | None,
    typer.Option(
        "--mails",
        help="Mails that the events cause and that were never queued: send or withhold them (mode missing), send"
        " (never-sent) or withhold them (mode again). A run asks for it if there are any.",
    ),
]
Rate = Annotated[
    float | None, typer.Option("--rate", min=0, metavar="N", help="Events per second at most; 0 is no limit.")
]
OffsetsOption = Annotated[
    list[Offsets] | None,
    typer.Option(
        "--offsets",
        parser=_offsets,
        metavar="P:A-B",
        help="Only offsets A to B - 1 of partition P, with --topic. Can be repeated.",
    ),
]
