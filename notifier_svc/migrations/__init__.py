"""The schema of notifier_svc's database, revision by revision: ``python -m notifier_svc.migrations``."""
