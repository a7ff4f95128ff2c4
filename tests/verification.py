"""Verifying the addresses of customers in tests, without waiting for the mail that has the link."""

from uuid import UUID

import psycopg
from pydantic import SecretStr

from chassis.link_tokens import link_token

_NEWEST = """
SELECT links.id FROM links JOIN accounts ON accounts.id = account_id
WHERE accounts.email = %s AND purpose = 'verify' ORDER BY links.id DESC LIMIT 1
"""


async def verification_token(postgres_url: str, link_key: str, email: str) -> str:
    """The token of the newest link to an address, as notifier_svc makes it; ``postgres_url`` is customer_svc's."""
    async with await psycopg.AsyncConnection.connect(postgres_url) as connection:
        row = await (await connection.execute(_NEWEST, (email,))).fetchone()
    assert row, f"{email} has no link"
    return link_token(SecretStr(link_key), "verify", UUID(str(row[0])))
