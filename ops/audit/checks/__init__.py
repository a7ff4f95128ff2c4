"""The rules of the audit. Each check is one SQL statement that finds what contradicts its rule.

Parameters: ``:settled``, the time up to which services are compared with each other; ``:deadline``, how many seconds
an order may be PENDING. A statement yields (subject, detail). Effects that are missing because a group has
dead-lettered an event of their key are no contradiction: the dead letter is.
"""

from ops.audit.checks import accounts, events, mails, orders, stock
from ops.audit.checks.check import Check

CHECKS: tuple[Check, ...] = (*stock.CHECKS, *orders.CHECKS, *events.CHECKS, *mails.CHECKS, *accounts.CHECKS)

COUNTS = {
    "accounts": "SELECT 1 FROM account",
    "products": "SELECT 1 FROM product",
    "skus": "SELECT 1 FROM stock",
    "orders": 'SELECT 1 FROM "order"',
    "orders_in_flight": """SELECT 1 FROM "order" WHERE state = 'PENDING' AND age <= :deadline + :settle_seconds""",
    "orders_confirmed": """SELECT 1 FROM "order" WHERE state = 'CONFIRMED'""",
    "orders_rejected": """SELECT 1 FROM "order" WHERE state = 'REJECTED'""",
    "orders_cancelled": """SELECT 1 FROM "order" WHERE state = 'CANCELLED'""",
    "orders_shipped": """SELECT 1 FROM "order" WHERE state IN ('SHIPPED', 'DELIVERED', 'UNDELIVERED')""",
    "reservations": "SELECT 1 FROM reservation",
    "mails": "SELECT 1 FROM mail",
    "mails_in_doubt": "SELECT 1 FROM mail WHERE doubts > 0",
    "mails_bounced": "SELECT 1 FROM mail WHERE bounced",
    "mails_suppressed": "SELECT 1 FROM mail WHERE state = 'suppressed'",
    "mails_withheld": "SELECT 1 FROM mail WHERE state = 'withheld'",
    "events": "SELECT 1 FROM event",
    "events_handled": "SELECT 1 FROM handled",
    "events_waiting": "SELECT 1 FROM waiting",
    "dead_letters": "SELECT 1 FROM dead_letter WHERE state IN ('dead', 'parked')",
}

__all__ = ["CHECKS", "COUNTS", "Check"]
