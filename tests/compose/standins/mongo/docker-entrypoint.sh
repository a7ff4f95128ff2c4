#!/bin/bash
# What the entry point of the image does where it runs as the user mongodb: at the first start it makes the
# administrator on a server that only this container reaches, without users and replica set.
set -Eeuo pipefail

password=${MONGO_INITDB_ROOT_PASSWORD:-}
[[ -z ${MONGO_INITDB_ROOT_PASSWORD_FILE:-} ]] || password=$(<"$MONGO_INITDB_ROOT_PASSWORD_FILE")

if [[ $1 == mongod && -n $password ]]; then
    if [[ ! -e /data/db/WiredTiger ]]; then
        alone=() pid_file=${TMPDIR:-/tmp}/docker-entrypoint-temp-mongod.pid
        for argument; do
            case $argument in
                --bind_ip_all | --auth | --keyFile=* | --replSet=*) ;;
                *) alone+=("$argument") ;;
            esac
        done
        "${alone[@]}" --bind_ip=127.0.0.1 --port=27017 --fork --logpath="/proc/$$/fd/1" --logappend --pidfilepath="$pid_file"
        shell=(mongosh --host 127.0.0.1 --port 27017 --quiet)
        PASSWORD=$password "${shell[@]}" admin --eval \
            'db.createUser({ user: process.env.MONGO_INITDB_ROOT_USERNAME, pwd: process.env.PASSWORD, roles: ["root"] })'
        for file in /docker-entrypoint-initdb.d/*.js; do
            "${shell[@]}" "${MONGO_INITDB_DATABASE:-test}" "$file"
        done
        "${alone[@]}" --shutdown
        rm -f "$pid_file"
    fi
    set -- "$@" --auth
    unset "${!MONGO_INITDB_@}"
fi
exec "$@"
