"""Accounts: what they are, how they are stored, and their deactivation."""
