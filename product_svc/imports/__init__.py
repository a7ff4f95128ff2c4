"""Imports and exports: many products at once, as NDJSON with a product a line, or as CSV with a variant a line."""
