"""Customers: their accounts and how they log in.

owns        accounts with their sessions, profiles, addresses and mailed links (PostgreSQL); the keys that sign access
            tokens
publishes   customer.events
consumes    erasure.events

The nouns, each of which depends only on those below it:

    staff | exports | erasure
    registration | passwords | profiles | sessions
    links | throttling
    accounts
"""

SERVICE = "customer_svc"
