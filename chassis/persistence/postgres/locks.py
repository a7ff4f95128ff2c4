"""The advisory locks of PostgreSQL, by number: two with the same number would wait for each other.

They are per database, and each service has its own, so the numbers serve all services.
"""

RELAY = 736001
"""The process that holds it is the relay of its service."""
MIGRATIONS = 736002
"""One process migrates at a time; the others wait for it."""
ERASURES = 736003
"""Data written about a customer while the customer is erased would survive the erasure: the erasing transaction would
not see it, nor be seen. So the two do not overlap. Row locks instead would cost every such write a statement."""

ACCOUNTS = 736004
"""The first of two numbers; the second stands for an account, on which one transaction at a time places orders."""

HOLD_OFF_ERASURES = f"SELECT pg_advisory_xact_lock_shared({ERASURES})"
"""For a transaction that writes about a customer."""
ERASE_ALONE = f"SELECT pg_advisory_xact_lock({ERASURES})"
"""For a transaction that erases one."""
LOCK_ACCOUNTS = (
    f"SELECT pg_advisory_xact_lock({ACCOUNTS}, number) FROM (SELECT DISTINCT hashtext(CAST(id AS text)) AS number"  # noqa: S608
    " FROM unnest(CAST($1 AS uuid[])) AS account(id) ORDER BY number) AS in_order"
)
"""For a transaction that compares what accounts have ordered with a limit; in the order in which all take them."""
