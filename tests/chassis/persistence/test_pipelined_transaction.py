"""The transaction on PostgreSQL: a failure affects this transaction only, and the connection serves the next."""

import asyncio

import psycopg
import pytest
import sqlalchemy as sa

from chassis.persistence.errors import ConcurrentUpdate
from chassis.persistence.postgres.database import Postgres
from chassis.persistence.postgres.pipelined_transaction import array

ONE = "SELECT CAST($1 AS int) AS one"
TWO = "SELECT CAST($1 AS int) AS two"
TOO_MUCH = "SELECT CAST($1 AS smallint)"


async def read(database: Postgres, statement: str, *parameters: str) -> list[object]:
    async with database.transaction() as tx:
        return await tx.execute(statement, *parameters).column()


async def test_each_statement_gets_its_own_result(postgres: Postgres) -> None:
    async with postgres.transaction() as tx:
        first, second = tx.execute(ONE, "1"), tx.execute("SELECT CAST($1 AS text) AS a, true AS b", "x")
        assert await second.rows() == [("x", True)]
        [row] = await first.rows()
        assert row.one == 1


async def test_a_failed_statement_raises_and_undoes_the_transaction(postgres: Postgres) -> None:
    async def write() -> None:
        async with postgres.transaction() as tx:
            await tx.execute("CREATE TABLE undone (n int)").rows()
            await tx.execute(TOO_MUCH, "70000").rows()

    for _ in range(2):
        with pytest.raises(psycopg.DataError):
            await write()
        assert await read(postgres, ONE, "2") == [2]


async def test_a_failed_statement_without_an_awaited_result_fails_the_commit(postgres: Postgres) -> None:
    async def write() -> None:
        async with postgres.transaction() as tx:
            tx.execute(TOO_MUCH, "70000")
            tx.execute(ONE, "1")

    with pytest.raises(psycopg.DataError):
        await write()
    assert await read(postgres, ONE, "3") == [3]


async def test_an_error_of_the_caller_rolls_back(postgres: Postgres) -> None:
    async def write() -> None:
        async with postgres.transaction() as tx:
            tx.execute("CREATE TABLE never (n int)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await write()
    assert await read(postgres, "SELECT to_regclass('never')") == [None]


async def test_statements_deallocated_by_the_driver_are_prepared_again(postgres: Postgres) -> None:
    assert await read(postgres, ONE, "1") == [1]
    async with postgres.reading() as connection:
        await connection.execute(sa.text("DEALLOCATE ALL"))
    with pytest.raises(ConcurrentUpdate):
        await read(postgres, ONE, "1")
    assert await read(postgres, ONE, "1") == [1]


async def test_a_stale_statement_costs_its_own_connection_and_no_other(postgres: Postgres) -> None:
    pool = postgres.engine.pool
    assert await read(postgres, ONE, "1") == [1]
    async with postgres.reading() as connection:
        await connection.execute(sa.text("DEALLOCATE ALL"))
    with pytest.raises(ConcurrentUpdate):
        await read(postgres, ONE, "1")
    # Connections that are in use when their pool is replaced are never closed.
    assert postgres.engine.pool is pool


async def test_statements_prepared_after_a_deallocation_are_known(postgres: Postgres) -> None:
    async def both() -> list[object]:
        async with postgres.transaction() as tx:
            tx.execute(TWO, "2")
            return await tx.execute(ONE, "1").column()

    assert await read(postgres, ONE, "1") == [1]
    async with postgres.reading() as connection:
        await connection.execute(sa.text("DEALLOCATE ALL"))
    with pytest.raises(ConcurrentUpdate):
        await both()
    assert await both() == [1]


async def test_a_cancelled_transaction_leaves_nothing_to_the_next(postgres: Postgres) -> None:
    sleeping = asyncio.create_task(read(postgres, "SELECT pg_sleep(30)"))
    await asyncio.sleep(0.2)
    sleeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sleeping
    assert await read(postgres, ONE, "4") == [4]


async def test_any_text_travels_in_an_array(postgres: Postgres) -> None:
    texts = ["", "NULL", "null", "a,b", "{}", 'say "x"', "back\\slash", " blank ", "ü\n"]
    assert await read(postgres, "SELECT unnest(CAST($1 AS text[]))", array(texts)) == texts


async def test_text_with_a_nul_is_refused_not_cut(postgres: Postgres) -> None:
    with pytest.raises(psycopg.DataError, match="NUL"):
        await read(postgres, "SELECT CAST($1 AS text)", "a\x00b")
