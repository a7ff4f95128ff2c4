"""Idempotency: the first response to each Idempotency-Key, so that a repeated request changes nothing."""
