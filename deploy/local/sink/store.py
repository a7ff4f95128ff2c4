"""The messages on disk, one file each, and an index of them in memory.

A message is acknowledged only when it would survive a power cut. Messages that arrive together share the cost of
that: one thread writes all that have arrived, then flushes the files and their directory.
"""

import asyncio
import os
import queue
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from deploy.local.sink.envelope import Summary, split, summarise, summary_of, trace

BATCH = 256


@dataclass
class Entry:
    """A message in the list: its first copy, and the number of copies."""

    summary: Summary
    copies: int = 1


@dataclass
class _Pending:
    path: Path
    content: bytes
    done: "Future[None]" = field(default_factory=Future)


class Store:
    """A directory of received messages."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.entries: list[Entry] = []
        self._by_key: dict[tuple[str, ...], Entry] = {}
        self._by_id: dict[str, Entry] = {}
        self._last_id = 0
        self._queue: queue.SimpleQueue[_Pending] = queue.SimpleQueue()
        self._tasks: set[asyncio.Task[Entry]] = set()
        directory.mkdir(parents=True, exist_ok=True)
        self._load()
        threading.Thread(target=self._write_forever, name="mail-writer", daemon=True).start()

    async def add(self, sender: str, recipients: list[str], content: bytes) -> Entry:
        """Store a message; returns when it is safe on disk. It is stored even if the caller is cancelled."""
        task = asyncio.create_task(self._store(sender, recipients, content))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def _store(self, sender: str, recipients: list[str], content: bytes) -> Entry:
        message = self._new_id()
        stored = trace(sender, recipients, datetime.now(UTC)) + content
        pending = _Pending(self.directory / f"{message}.eml", stored)
        self._queue.put(pending)
        await asyncio.wrap_future(pending.done)
        return self._index(summarise(message, stored))

    def get(self, message: str) -> Entry | None:
        """Return the entry of this id."""
        return self._by_id.get(message)

    def raw(self, message: str) -> bytes:
        """Return a message's bytes as they arrived."""
        return split((self.directory / f"{message}.eml").read_bytes())[1]

    def find(self, to: str = "", after: str = "") -> Iterator[Entry]:
        """Yield the messages to this recipient that arrived after that id, oldest first."""
        recipient = to.casefold()
        for entry in self.entries:
            matches = not recipient or any(one.casefold() == recipient for one in entry.summary.recipients)
            if matches and entry.summary.id > after:
                yield entry

    def search(self, part: str) -> Iterator[Entry]:
        """Yield the messages to recipients whose address contains this, oldest first."""
        wanted = part.strip().casefold()
        for entry in self.entries:
            if any(wanted in one.casefold() for one in entry.summary.recipients):
                yield entry

    def _new_id(self) -> str:
        self._last_id = max(time.time_ns(), self._last_id + 1)
        return f"{self._last_id:020d}"

    def _index(self, summary: Summary) -> Entry:
        """List it, or count it as another copy of a known message (RFC 7352)."""
        key = summary.duplicate_key
        known = self._by_key.get(key) if key else None
        if known:
            known.copies += 1
            return known
        entry = Entry(summary)
        self.entries.append(entry)
        self._by_id[summary.id] = entry
        if key:
            self._by_key[key] = entry
        return entry

    def _load(self) -> None:
        for path in self.directory.glob("*.part"):
            path.unlink()  # never acknowledged
        for path in sorted(self.directory.glob("*.eml")):
            self._index(summary_of(path))
            self._last_id = int(path.stem)

    def _write_forever(self) -> None:
        while True:
            batch = [self._queue.get()]
            while len(batch) < BATCH and not self._queue.empty():
                batch.append(self._queue.get())
            # A cancelled message is not written; one that is being written can no longer be cancelled.
            batch = [one for one in batch if one.done.set_running_or_notify_cancel()]
            try:
                _write(batch, self.directory)
            except OSError as error:
                for one in batch:
                    one.done.set_exception(error)
            else:
                for one in batch:
                    one.done.set_result(None)


def _write(batch: list[_Pending], directory: Path) -> None:
    files = []
    try:
        for one in batch:
            files.append(one.path.with_suffix(".part").open("xb"))
            files[-1].write(one.content)
            files[-1].flush()
        for file in files:  # the first makes the file system write its journal, the others find it written
            os.fsync(file.fileno())
    finally:
        for file in files:
            file.close()
    for one in batch:
        one.path.with_suffix(".part").rename(one.path)
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
