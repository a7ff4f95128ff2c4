"""Erasure: what this service does when a customer is erased. It stores no customers, only dead letters about them."""
