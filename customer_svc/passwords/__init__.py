"""Passwords: hashing, changing and resetting them."""
