"""Limits on how often somebody can try a password, request a mail or register."""
