"""The shadows in which replicas are rebuilt, and how an erasure reaches them.

A shadow is a schema. Each of its tables that holds rows of a replica has a row in ``shadows``, written in the
transaction that makes the schema and deleted in the one that drops it.
"""

from collections.abc import Collection
from uuid import UUID

from chassis.persistence.postgres.pipelined_transaction import PipelinedTransaction, array

# Locked, so that no shadow is dropped before the erasure has cleaned it.
_ABOUT_CUSTOMERS = (
    "SELECT schema_name, table_name, customer_column FROM shadows WHERE customer_column IS NOT NULL"
    " ORDER BY job_id, table_name FOR SHARE"
)
_ERASE = 'DELETE FROM "{schema}"."{table}" WHERE "{column}" = ANY(CAST($1 AS uuid[]))'


async def erase_in_shadows(tx: PipelinedTransaction, ids: Collection[UUID]) -> None:
    """Remove every row about these customers from the shadows.

    What a rebuild writes later is checked against the erasures that were handled (``chassis.rebuild.apply``).
    """
    for row in await tx.execute(_ABOUT_CUSTOMERS).rows():
        statement = _ERASE.format(schema=row.schema_name, table=row.table_name, column=row.customer_column)
        tx.execute(statement, array(ids))
