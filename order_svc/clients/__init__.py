"""Clients of other services' REST APIs."""
