#!/bin/bash
# What the entry point of the image does where it runs as the user postgres: it makes the data at the first start.
set -Eeo pipefail

if [[ $1 == postgres && ! -s $PGDATA/PG_VERSION ]]; then
    [[ -z $POSTGRES_PASSWORD_FILE ]] || POSTGRES_PASSWORD=$(<"$POSTGRES_PASSWORD_FILE")
    [[ -n $POSTGRES_PASSWORD ]] || { echo "POSTGRES_PASSWORD is not set" >&2 && exit 1; }
    export POSTGRES_USER=${POSTGRES_USER:-postgres} PGPASSWORD=$POSTGRES_PASSWORD PGHOST=/var/run/postgresql
    mkdir -p "$PGDATA"
    chmod 700 "$PGDATA"
    eval 'initdb --username="$POSTGRES_USER" --pwfile=<(printf "%s\n" "$POSTGRES_PASSWORD") '"$POSTGRES_INITDB_ARGS"
    printf '\nhost all all all scram-sha-256\n' >>"$PGDATA/pg_hba.conf"
    printf "\nlisten_addresses = '*'\nunix_socket_directories = '%s'\n" "$PGHOST" >>"$PGDATA/postgresql.conf"
    # Not over TCP, so that nobody takes it for ready.
    pg_ctl -D "$PGDATA" -o "-c listen_addresses=''" -w start
    for file in /docker-entrypoint-initdb.d/*.sh; do
        if [[ -x $file ]]; then "$file"; else . "$file"; fi
    done
    pg_ctl -D "$PGDATA" -m fast -w stop
    unset PGPASSWORD PGHOST
fi
exec "$@"
