"""Erasure: what erasing a customer does to mails, suppressions and the replica."""
