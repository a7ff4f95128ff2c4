"""PostgreSQL: a transaction with as few round trips as possible.

Statements are collected, and sent together when a result is needed, or with the commit: a transaction that reads
once and then writes costs two round trips, however many statements it has. A round trip costs more than most
statements do.

The adapter to what psycopg does not offer publicly: its generators (``psycopg.generators``) and ``Transformer``.
Checked with psycopg 3.3; ``tests/chassis/persistence/test_pipelined_transaction.py`` fails where another version
behaves differently.

Source: PostgreSQL, *libpq pipeline mode* (https://www.postgresql.org/docs/current/libpq-pipeline-mode.html).
"""

from collections import deque, namedtuple
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection, DatabaseError, DataError, OperationalError, generators
from psycopg.adapt import Transformer
from psycopg.errors import DuplicatePreparedStatement, InvalidSqlStatementName, error_from_result
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.pq.abc import PGresult

STALE_STATEMENTS = (InvalidSqlStatementName, DuplicatePreparedStatement)
"""The statements prepared on a connection are not those that we recorded.

The driver deallocates all statements after a rollback of its own, and does not know of ours. Those prepared since
exist, those prepared before do not: such a connection is not used again.
"""

_NUMBERS = count()


@dataclass(eq=False)
class Result:
    """The result of one statement."""

    _tx: "PipelinedTransaction"
    _result: PGresult | None = None

    async def rows(self) -> list[Any]:
        """The rows, as named tuples; waits for the results of all statements so far."""
        if self._result is None:
            await self._tx.receive()
        assert self._result
        return self._tx.read(self._result)

    async def column(self) -> list[Any]:
        """The first column."""
        return [row[0] for row in await self.rows()]


class PipelinedTransaction:
    """A transaction on a connection. An error in a statement is raised when results are awaited.

    ``prepared`` holds the statements prepared on this connection: statement → its name.
    """

    def __init__(self, driver: AsyncConnection[Any], prepared: dict[str, bytes]) -> None:
        self.has_messages = False
        """Whether messages were added to the outbox."""
        self._driver, self._pgconn, self._prepared = driver, driver.pgconn, prepared
        self._preparing: dict[str, bytes] = {}
        self._expected: deque[Callable[[PGresult], None]] = deque()
        self._transformer = Transformer(driver)
        self._pgconn.enter_pipeline_mode()
        self._command(b"BEGIN")

    @property
    def lost(self) -> bool:
        """Whether the connection is lost."""
        return self._pgconn.status == ConnStatus.BAD

    def execute(self, statement: str, *parameters: str) -> Result:
        """Add a statement, whose parameters are $1, $2, …; it is sent with the next result that is awaited."""
        name = self._prepared.get(statement) or self._preparing.get(statement) or self._prepare(statement)
        self._pgconn.send_query_prepared(name, [_encoded(parameter) for parameter in parameters])
        future = Result(self)

        def take(result: PGresult) -> None:
            future._result = result

        self._expected.append(take)
        return future

    async def receive(self) -> None:
        """Send what was collected, and wait for all results; raise the first error among them."""
        self._pgconn.send_flush_request()
        await self._driver.wait(self._exchange())

    async def commit(self) -> None:
        """Send what was collected and the commit with it."""
        self._command(b"COMMIT")
        self._synchronise()
        await self._driver.wait(self._exchange())
        self._pgconn.exit_pipeline_mode()

    async def abandon(self) -> None:
        """Roll back after an error, and leave the connection as it was found."""
        with suppress(OperationalError):
            # What follows an error fails with it until the server has seen this.
            self._synchronise()
            self._command(b"ROLLBACK")
            self._synchronise()
            with suppress(DatabaseError):
                await self._driver.wait(self._exchange())
            self._pgconn.exit_pipeline_mode()

    def read(self, result: PGresult) -> list[Any]:
        """The rows of a result."""
        self._transformer.set_pgresult(result)
        names = tuple((result.fname(nth) or b"").decode() for nth in range(result.nfields))
        return self._transformer.load_rows(0, result.ntuples, _row_type(names)._make)

    def _prepare(self, statement: str) -> bytes:
        name = self._preparing[statement] = _name(statement)

        def prepared(_result: PGresult) -> None:
            self._prepared[statement] = name

        self._pgconn.send_prepare(name, statement.encode())
        self._expected.append(prepared)
        return name

    def _command(self, command: bytes) -> None:
        self._pgconn.send_query_params(command, None)
        self._expected.append(lambda _result: None)

    def _synchronise(self) -> None:
        self._pgconn.pipeline_sync()
        self._expected.append(lambda _result: None)

    def _exchange(self) -> Generator[Any, Any, None]:
        """Send, and take every result that is due, also after an error: later results would be mistaken for them."""
        yield from generators.send(self._pgconn)
        first: Exception | None = None
        while self._expected:
            results = yield from generators.fetch_many(self._pgconn)
            if not results:
                raise first or OperationalError("the connection is closed")
            take, result = self._expected.popleft(), results[-1]
            if result.status == ExecStatus.FATAL_ERROR:
                first = first or error_from_result(result)
            elif result.status == ExecStatus.PIPELINE_ABORTED:
                first = first or OperationalError("a statement before this one has failed")
            else:
                take(result)
        if first:
            raise first


def array(values: Iterable[Any]) -> str:
    """Values as the text of an array of any type. UUIDs become ``uuid[]``: for ``text[]``, give strings."""
    return "{" + ",".join(map(_element, values)) + "}"


def _element(value: Any) -> str:
    if isinstance(value, UUID):
        # Most are: in a fifth of the time, and it needs no quotes.
        return f"{value.int:032x}"
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _encoded(parameter: str) -> bytes:
    if "\x00" in parameter:
        # The driver would send what stands before it.
        raise DataError("PostgreSQL text cannot contain NUL (0x00) bytes")
    return parameter.encode()


@cache
def _name(statement: str) -> bytes:  # noqa: ARG001 - one name a statement
    return f"s{next(_NUMBERS)}".encode()


@cache
def _row_type(names: tuple[str, ...]) -> type[Any]:
    return namedtuple("Row", names)
