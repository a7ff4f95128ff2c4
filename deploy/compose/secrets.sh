#!/bin/sh
# Makes the secrets of compose.yaml, each in a file of the directory $1 (.secrets): random passwords, and the URLs that
# contain them. Files that exist stay as they are. Passwords that .env has from an earlier version are taken from there.
set -eu
umask 077
directory=${1:-.secrets}
mkdir -p "$directory"
# Nobody else comes into the directory; the files in it are readable, since the programs in containers have other users.
chmod 700 "$directory"

keep() { # NAME VALUE: write the file, complete or not at all
    [ -s "$directory/$1" ] && return
    printf '%s\n' "$2" >"$directory/.$1"
    chmod 644 "$directory/.$1"
    mv "$directory/.$1" "$directory/$1"
}

password() { # NAME VARIABLE
    known=$(sed -n "s/^$2=//p" .env 2>/dev/null || true)
    keep "$1" "${known:-$(head -c 24 /dev/urandom | base64 | tr '+/' '-_')}"
}

password postgres-password POSTGRES_PASSWORD
password mongo-password MONGO_PASSWORD
password kafka-password KAFKA_PASSWORD
for service in customer product order notifier; do
    name=$(echo "$service" | tr 'a-z' 'A-Z')
    password "$service-db-password" "${name}_DB_PASSWORD"
    password "$service-kafka-password" "${name}_KAFKA_PASSWORD"
done
password ops-kafka-password OPS_KAFKA_PASSWORD
password link-key LINK_KEY
password grafana-password GRAFANA_PASSWORD

for service in customer order notifier; do
    keep "$service-postgres-url" \
        "postgresql://${service}_svc:$(cat "$directory/$service-db-password")@postgres:5432/${service}_svc"
done
keep product-mongo-url \
    "mongodb://product_svc:$(cat "$directory/product-db-password")@mongo:27017/product_svc?replicaSet=rs0"
keep smtp-url smtp://mailpit:1025
