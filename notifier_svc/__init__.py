"""Notifications: what was mailed.

owns        the ledger of mails, a copy of the customers' addresses (PostgreSQL)
publishes   notification.events, erasure.events
consumes    customer.events, order.events
"""

SERVICE = "notifier_svc"
