"""The schema of customer_svc's database, revision by revision: ``python -m customer_svc.migrations``."""
