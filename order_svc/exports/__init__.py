"""Exports: all orders of a customer, each with its timeline."""
