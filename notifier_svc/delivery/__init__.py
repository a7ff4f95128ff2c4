"""Delivery: claims mails of the ledger, sends them over SMTP, and records what became of them."""
