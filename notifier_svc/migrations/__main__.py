"""Brings the database of notifier_svc to the newest schema."""

from chassis.persistence.postgres.migrate import MigrationSettings, migrate
from chassis.runtime.settings import load
from notifier_svc import SERVICE

migrate(str(load(MigrationSettings, SERVICE).postgres_url), SERVICE)
