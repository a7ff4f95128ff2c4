"""PostgreSQL through psycopg and SQLAlchemy."""
