"""Brings the database of notifier_svc to the newest schema."""

from chassis.migrate import MigrationSettings, migrate
from chassis.settings import load
from notifier_svc import SERVICE

migrate(str(load(MigrationSettings, SERVICE).postgres_url), SERVICE)
