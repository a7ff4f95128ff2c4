#!/bin/sh
# Starts MongoDB in compose.yaml with users. The members of a replica set know each other by a key; here there is one
# member, so a new key at each start will do, and there is none to keep secret. A key also turns authentication on.
set -eu
umask 077
key=${TMPDIR:-/tmp}/replica-set-key
head -c 96 /dev/urandom | base64 >"$key"
exec docker-entrypoint.sh "$@" --keyFile="$key"
