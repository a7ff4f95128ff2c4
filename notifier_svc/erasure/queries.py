"""Reads about erasures."""

from notifier_svc import SERVICE
from notifier_svc.replicas.domain import ERASED_ADDRESS

LEDGER = (
    f"SELECT 'answer' AS kind, '{SERVICE}' AS service, id AS customer_id FROM customers"  # noqa: S608
    f" WHERE email = '{ERASED_ADDRESS}'"
)
"""The confirmations of erasures, for the audit."""
