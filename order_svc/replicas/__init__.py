"""Replicas: copies of products and customers, kept up to date by the events of other services."""
