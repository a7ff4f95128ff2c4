#!/bin/bash
# Starts MongoDB in compose.yaml with users. The members of a replica set know each other by a key; here there is one
# member, so a new key at each start will do, and there is none to keep secret. A key also turns authentication on.
set -eu
umask 077
work=${TMPDIR:-/tmp} key=${TMPDIR:-/tmp}/replica-set-key
head -c 96 /dev/urandom | base64 >"$key"

# Makes it the primary of its replica set, and notes that for the health check. Under this name the server is not
# reached before its users are made: until then it listens on the address of the container alone.
rm -f "$work/primary"
{
    until (exec 3<>/dev/tcp/mongo/27017) 2>/dev/null; do sleep 0.5; done
    until mongosh --quiet --norc --host mongo "${MONGO_GIVEN:-}/mongo-primary.js"; do sleep 1; done
    touch "$work/primary"
} &
exec docker-entrypoint.sh "$@" --keyFile="$key"
