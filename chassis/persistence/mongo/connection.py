"""What pymongo's errors mean, and the one thing that is done to its connection pools from outside.

Resetting the pools is private API of pymongo (``_topology``); checked with pymongo 4.20.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
)

from chassis.persistence.errors import ConcurrentUpdate, DatabaseUnavailable
from chassis.runtime.redaction import redacted


async def reset_pools(client: AsyncMongoClient[Any]) -> None:
    """Close all pooled connections.

    A connection made while the server was not the primary yet, as is possible with directConnection=true, has no
    sessions, and the driver would keep it when the server has become the primary.
    """
    for server in client._topology._servers.values():
        await server.pool.reset_without_pause()


@contextmanager
def translated() -> Iterator[None]:
    """Raise the driver's errors as ``ConcurrentUpdate`` and ``DatabaseUnavailable``; others are bugs, and pass."""
    try:
        yield
    except PyMongoError as error:
        if _is_concurrent_update(error):
            raise ConcurrentUpdate(reason(error)) from error
        if isinstance(error, ConnectionFailure | ExecutionTimeout) or _is_transient(error):
            raise DatabaseUnavailable(reason(error)) from error
        raise


def reason(error: PyMongoError) -> str:
    """The server's message without the documents that it quotes; a message about the connection as it is."""
    return str(error) if isinstance(error, ConnectionFailure) else redacted(error)


def _is_concurrent_update(error: PyMongoError) -> bool:
    """A write conflict, or a key just taken (code 11000)."""
    if isinstance(error, BulkWriteError):
        return any(e.get("code") == 11000 for e in error.details.get("writeErrors", []))
    if isinstance(error, ConnectionFailure):
        return False
    return error.has_error_label("TransientTransactionError") or isinstance(error, DuplicateKeyError)


def _is_transient(error: PyMongoError) -> bool:
    """Shutting down (91), interrupted at shutdown (11600, 11602), not primary (10107, 13435, 189).

    Also a snapshot that the server has discarded (239), or cannot take yet (246).
    """
    return isinstance(error, OperationFailure) and error.code in {91, 189, 239, 246, 10107, 11600, 11602, 13435}
