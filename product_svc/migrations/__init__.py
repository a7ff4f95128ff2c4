"""The collections and indexes of product_svc's database: ``python -m product_svc.migrations``."""
