"""The migrations of product_svc's database: ``python -m product_svc.migrations``."""
