"""Run by Alembic: migrates on the connection that ``postgres/migrate.py`` opened, in one transaction."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, transaction_per_migration=False)
with context.begin_transaction():
    context.run_migrations()
connection.commit()
