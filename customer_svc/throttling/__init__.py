"""Limits on how often somebody can try a password, use a link, request a mail or register."""
