"""What is redacted of errors, in logs and dead letters, holds no row of a table and nothing that was sent."""

import asyncio
import sys
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import BaseModel, ValidationError
from structlog.testing import capture_logs

from chassis.messaging.consumer import Consumer
from chassis.messaging.handlers import Handlers
from chassis.persistence.errors import ConcurrentUpdate
from chassis.persistence.mongo.database import Mongo
from chassis.persistence.postgres.database import Postgres
from chassis.persistence.postgres.tables import dead_letters
from chassis.runtime.redaction import redacted, redacted_traceback
from chassis.testing import records
from schemas import StockAdjusted
from tests.chassis.tally import Count, Tallies, Tally, counted
from tests.chassis.tally import make_tables as make_tallies
from tests.databases import Databases

SECRET, ADA = 271828, "ada@example.com"
NOT_NULL = "NotNullViolation(23502, schema=public, table=tallies, column=seen)"


class Spoil(Count):
    """Write a row that the database refuses, quoting it."""

    def execute(self, uow: Tallies) -> None:
        sku = self.envelope.event.sku
        uow.rows.set(sku, Tally(sku, SECRET, None))  # type: ignore[arg-type]


SPOILING: Handlers[Tallies] = {StockAdjusted: Spoil}


async def test_a_row_that_postgresql_refuses_is_in_no_letter_and_no_log(postgres: Postgres) -> None:
    await make_tallies(postgres)
    with capture_logs() as lines:
        await Consumer(postgres, "tally_svc", Tallies, SPOILING).handle(records([counted("A")]))
    async with postgres.reading() as connection:
        [letter] = (await connection.execute(sa.select(dead_letters))).all()
    async with postgres.leadership.lead() as reader:
        [copy] = await reader.advance([], 10)
    assert letter.detail == copy.message.headers["dlq_detail"] == NOT_NULL
    failed = [redacted_traceback(line["exc_info"]) for line in lines if "exc_info" in line]
    assert failed
    assert all(text.endswith(NOT_NULL) and "_transact" in text for text in failed)
    said = "\n".join([*failed, *(str({**line, "exc_info": None}) for line in lines)])
    assert str(SECRET) not in said
    assert "Failing row" not in said


async def test_the_error_about_a_duplicate_key_is_redacted(postgres: Postgres) -> None:
    await make_tallies(postgres)
    twice = "INSERT INTO tallies SELECT 'ada@example.com', 1, '' FROM generate_series(1, 2)"
    with pytest.raises(ConcurrentUpdate) as conflict:
        async with postgres.transaction() as tx:
            tx.execute(twice)
    assert str(conflict.value) == "UniqueViolation(23505, schema=public, table=tallies, constraint=tallies_pkey)"


async def test_parameters_of_a_statement_are_redacted(postgres: Postgres) -> None:
    with pytest.raises(sa.exc.DBAPIError) as refused:
        async with postgres.reading() as connection:
            await connection.execute(sa.text("SELECT CAST(:x AS integer)"), {"x": ADA})
    assert redacted(refused.value) == "InvalidTextRepresentation(22P02)"
    assert ADA not in redacted_traceback(refused.value)


async def test_documents_of_mongodb_are_redacted(databases: Databases) -> None:
    async with databases.lent_mongo() as url:
        database = Mongo(url)

        async def insert_twice() -> None:
            async with database.transaction() as tx:
                await tx.db.products.insert_many([{"_id": ADA}], session=tx.session)
                await tx.db.products.insert_many([{"_id": ADA}], session=tx.session)

        with pytest.raises(ConcurrentUpdate) as conflict:
            await insert_twice()
        assert str(conflict.value) == "BulkWriteError(code=11000, key=_id)"
        assert ADA not in redacted_traceback(conflict.value)
        await database.close()


class Number(BaseModel):
    n: int


def error_of(content: Any) -> ValidationError:
    with pytest.raises(ValidationError) as wrong:
        Number.model_validate(content)
    return wrong.value


def test_input_that_failed_validation_is_redacted() -> None:
    assert redacted(error_of({"n": "ada@example.com"})) == "ValidationError(n int_parsing)"
    with pytest.raises(UnicodeEncodeError) as wrong:
        "ada@example.com \ud800".encode()
    assert redacted(wrong.value) == "UnicodeEncodeError(surrogates not allowed)"
    group = ExceptionGroup("several", [wrong.value, KeyError("n")])
    assert redacted(group) == "ExceptionGroup(UnicodeEncodeError(surrogates not allowed), KeyError('n'))"


def test_our_own_errors_are_shown_with_their_causes() -> None:
    def fail() -> None:
        try:
            raise LookupError("no such row")
        except LookupError as error:
            raise RuntimeError("a bug") from error

    with pytest.raises(RuntimeError) as raised:
        fail()
    first, second = redacted_traceback(raised.value).split("\n\n")
    assert first.endswith("LookupError('no such row')")
    assert second.endswith("RuntimeError('a bug')")
    assert 'raise RuntimeError("a bug") from error' in second


LOGGING = """
import logging, structlog
from pydantic import TypeAdapter, ValidationError
from chassis.runtime.telemetry import configure_logging
configure_logging("tally_svc", "INFO", "json")
try:
    TypeAdapter(dict[str, int]).validate_python({"n": "ada@example.com"})
except ValidationError as error:
    structlog.get_logger().error("failed", exc_info=error)
    logging.getLogger("uvicorn.error").error("failed", exc_info=error)
"""


async def test_logs_are_written_so_ours_and_those_of_libraries() -> None:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", LOGGING, stdout=pipe, stderr=pipe)
    written, wrong = await process.communicate()
    assert (written.count(b"ValidationError(n int_parsing)"), wrong) == (2, b"")
    assert b"ada@example.com" not in written
