"""Fulfilment: shipping and delivering what was ordered."""
