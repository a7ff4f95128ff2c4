"""Customers: who buys.

owns        accounts and profiles (PostgreSQL), the keys that sign access tokens
publishes   customer.events
consumes    nothing
"""

SERVICE = "customer_svc"
