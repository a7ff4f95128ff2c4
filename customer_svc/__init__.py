"""Customers: who buys.

owns        accounts and their sessions, profiles, addresses, links in mails (PostgreSQL), the keys that sign access
            tokens
publishes   customer.events
consumes    erasure.events
"""

SERVICE = "customer_svc"
