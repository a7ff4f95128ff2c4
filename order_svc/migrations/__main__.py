"""Brings the database of order_svc to the newest schema."""

from chassis.migrate import MigrationSettings, migrate
from chassis.settings import load
from order_svc import SERVICE

migrate(str(load(MigrationSettings, SERVICE).postgres_url), SERVICE)
