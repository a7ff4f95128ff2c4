"""The trace headers that the sink writes above a message, as any server does on delivery (RFC 5321, 4.4).

``Return-Path`` and ``Delivered-To`` hold the envelope; ``Received`` ends the block and holds the time. After a
restart, the sink reads its list from them and from the first headers of the message.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import decode_header, make_header
from pathlib import Path

HEAD_BYTES = 16 * 1024
"""How much of a file is read to list it. Headers beyond that are shown with the message, but not listed."""

_LISTED = re.compile(rb"^(message-id|subject):((?:[^\n]*\n[ \t])*[^\n]*)", re.IGNORECASE | re.MULTILINE)
_BLANK = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True)
class Summary:
    """One received copy of a message, as the list shows it."""

    id: str
    """The name of its file; ids sort in the order of arrival."""
    sender: str
    recipients: tuple[str, ...]
    received_at: str
    """ISO 8601, UTC."""
    message_id: str
    subject: str

    @property
    def duplicate_key(self) -> tuple[str, ...] | None:
        """Equal for the copies of one message; None without a Message-ID, by which copies are recognised."""
        return (self.message_id, *sorted(self.recipients)) if self.message_id else None


def trace(sender: str, recipients: list[str], at: datetime) -> bytes:
    """Return the trace headers of a message received at this time."""
    lines = [f"Return-Path: <{sender}>", *(f"Delivered-To: {one}" for one in recipients)]
    lines.append(f"Received: by shopstream-mail; {at.astimezone(UTC).isoformat(timespec='milliseconds')}")
    return "".join(f"{line}\r\n" for line in lines).encode()


def split(stored: bytes) -> tuple[bytes, bytes]:
    """Split a stored file into the trace headers and the message as it arrived."""
    end = stored.index(b"\r\n", stored.index(b"Received: by shopstream-mail;")) + 2
    return stored[:end], stored[end:]


def summarise(message: str, stored: bytes) -> Summary:
    """Read a summary from a stored file, or from its first ``HEAD_BYTES``."""
    top, below = split(stored)
    lines = top.decode("utf-8", "replace").splitlines()
    head = _BLANK.split(below, maxsplit=1)[0]
    listed = {name.lower(): value for name, value in reversed(_LISTED.findall(head))}
    return Summary(
        id=message,
        sender=lines[0].removeprefix("Return-Path: ").strip("<>"),
        recipients=tuple(line.removeprefix("Delivered-To: ") for line in lines[1:-1]),
        received_at=lines[-1].rpartition("; ")[2],
        message_id=_unfold(listed.get(b"message-id", b"")),
        subject=_decode(_unfold(listed.get(b"subject", b""))),
    )


def summary_of(path: Path) -> Summary:
    """Read a summary from disk."""
    with path.open("rb") as file:
        return summarise(path.stem, file.read(HEAD_BYTES))


def _unfold(value: bytes) -> str:
    return re.sub(r"\s*\r?\n\s+", " ", value.decode("utf-8", "replace")).strip()


def _decode(value: str) -> str:
    if "=?" not in value:
        return value
    try:
        return str(make_header(decode_header(value)))
    except (LookupError, ValueError):  # an unknown character set, broken base64
        return value
