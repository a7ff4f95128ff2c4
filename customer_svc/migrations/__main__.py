"""Upgrades the database of customer_svc to the newest schema."""

from chassis.persistence.postgres.migrate import MigrationSettings, migrate
from chassis.runtime.settings import load
from customer_svc import SERVICE

migrate(str(load(MigrationSettings, SERVICE).postgres_url), SERVICE)
