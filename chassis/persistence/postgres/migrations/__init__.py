"""Alembic's environment for every PostgreSQL service, and the revisions of the chassis's own tables."""
