"""Erasure: the orders of an erased customer stay, without any personal data."""
