"""Replicas: the customers, as the events of customer_svc describe them, and the staff of the settings."""
