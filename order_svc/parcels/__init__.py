"""Parcels: what becomes of each one after it was shipped."""
