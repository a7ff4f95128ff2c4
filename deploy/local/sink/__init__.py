"""The mail sink: an SMTP server that delivers no mail, but stores every message on disk and shows it."""
