"""Reads about erasures."""

from notifier_svc import SERVICE
from notifier_svc.replicas.domain import ERASED_ADDRESS

LEDGER = (
    f"SELECT 'answer' AS kind, '{SERVICE}' AS service, id AS customer_id FROM customers"  # noqa: S608
    f" WHERE email = '{ERASED_ADDRESS}'"
)
"""The confirmations of erasures, for the audit."""

ERASED_CUSTOMERS = (
    "SELECT id FROM public.customers"  # noqa: S608
    f" WHERE id = ANY(CAST($1 AS uuid[])) AND email = '{ERASED_ADDRESS}'"
)
"""Those of some customers who were erased; for a rebuild, whose connection looks up tables elsewhere."""
