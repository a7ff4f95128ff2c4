"""Profiles and addresses of customers."""
