"""Reservations: what each order holds of the stock."""
