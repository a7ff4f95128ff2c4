"""The REST APIs of other services."""
