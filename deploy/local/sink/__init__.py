"""The mail sink: an SMTP server that delivers to nobody, keeps every message on disk and shows them."""
