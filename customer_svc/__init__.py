"""Customers: their accounts and how they log in.

owns        accounts with their sessions, one-time codes, profiles, addresses and mailed links, and the audit log
            (PostgreSQL); the keys that sign access tokens
publishes   customer.events
consumes    erasure.events

The nouns, each of which depends only on those below it:

    tokens | email_changes
    staff | exports | erasure
    registration | passwords | profiles | sessions
    totp
    links | throttling
    accounts
    audit_log
"""

SERVICE = "customer_svc"
