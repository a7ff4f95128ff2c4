#!/bin/sh
# Runs once, on an empty data volume: creates a database and a user for each service on PostgreSQL.
# No service can connect to the database of another.
set -eu

create() { # NAME FILE
    psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
        --set name="$1" --set password="$(cat "/run/secrets/$2")" --quiet <<'SQL'
CREATE USER :"name" PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
}

create customer_svc customer-db-password
create order_svc order-db-password
create notifier_svc notifier-db-password
