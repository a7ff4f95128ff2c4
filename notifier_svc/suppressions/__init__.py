"""Suppressions: addresses that nothing is sent to, because a mail server reported that they do not exist."""
