#!/bin/sh
# Backs up the shop of compose.yaml into the new directory $1: stops it, copies all data and secrets as they are at this
# moment, and starts it again. docs/how-to/back-up-and-restore.md says why it is all of it, and at one moment.
set -eu
umask 077
. "$(dirname "$0")/volumes.sh"
[ $# = 1 ] || { echo "usage: sh $0 NEW_DIRECTORY" >&2 && exit 2; }
[ ! -e "$1" ] || { echo "$1 exists: name a directory that does not" >&2 && exit 2; }
part=$1.part
rm -rf "$part"
mkdir -p "$part"

# Whatever happens, it is started again.
trap 'docker compose up --detach --wait' EXIT
trap 'exit 1' INT TERM
docker compose stop
for volume in $VOLUMES; do
    service=${volume%%:*}
    # By a container of the server, as its own user: nobody else has rights to its data.
    docker compose run --rm --no-deps -T --entrypoint tar "$service" -C "${volume#*:}" -czf - . >"$part/$service.tar.gz"
    # An archive that was cut off is none.
    gzip --test "$part/$service.tar.gz"
done
cp -a "$(secrets)" "$part/secrets"
if [ -e .env ]; then cp -a .env "$part/settings"; fi
mv "$part" "$1"
echo "backed up: $1"
