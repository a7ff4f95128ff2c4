"""Timelines: everything that happened to an order, as a list and as a stream of server-sent events."""
