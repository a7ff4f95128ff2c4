"""Notifications: what was mailed.

owns        the ledger of mails, a copy of the customers' addresses, addresses that bounced (PostgreSQL)
publishes   notification.events, erasure.events
consumes    customer.events, order.events, stock.events
"""

SERVICE = "notifier_svc"
