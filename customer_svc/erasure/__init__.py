"""Erasure of a customer: the account is deleted here, and other services anonymise what they have."""
