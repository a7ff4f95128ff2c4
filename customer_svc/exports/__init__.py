"""The export of a customer's data, from all services."""
