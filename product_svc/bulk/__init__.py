"""Many products at once, in and out: NDJSON with a product a line, CSV with a variant a line."""
