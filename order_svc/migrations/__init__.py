"""The schema of order_svc's database, revision by revision: ``python -m order_svc.migrations``."""
