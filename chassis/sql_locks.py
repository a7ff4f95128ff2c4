"""The advisory locks of PostgreSQL, by number: two that were the same would wait for each other.

They are taken per database, and each service has its own: one number serves them all.
"""

RELAY = 736001
"""Who has it is the one relay of the service."""
MIGRATIONS = 736002
"""One process migrates at a time; nobody else waits for it."""
ERASURES = 736003
"""What is kept about somebody while they are erased would stay: the transaction that erases would not see it, nor be
seen. So the two do not overlap. Row locks would cost whatever is kept a write."""

HOLD_OFF_ERASURES = f"SELECT pg_advisory_xact_lock_shared({ERASURES})"
"""By whoever keeps something about a customer."""
ERASE_ALONE = f"SELECT pg_advisory_xact_lock({ERASURES})"
"""By whoever erases one."""
