"""Brings the database of order_svc to the newest schema."""

from chassis.persistence.postgres.migrate import MigrationSettings, migrate
from chassis.runtime.settings import load
from order_svc import SERVICE

migrate(str(load(MigrationSettings, SERVICE).postgres_url), SERVICE)
