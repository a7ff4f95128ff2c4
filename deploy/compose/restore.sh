#!/bin/sh
# Restores the shop of compose.yaml from the directory $1 that backup.sh has written, and starts it. There must be no data:
# docker compose down --volumes removes them.
set -eu
umask 077
. "$(dirname "$0")/volumes.sh"
[ -d "${1:-}/secrets" ] || { echo "usage: sh $0 DIRECTORY, which backup.sh has written" >&2 && exit 2; }

directory=$(secrets)
if [ ! -e "$directory" ]; then
    cp -a "$1/secrets" "$directory"
elif ! diff -r "$1/secrets" "$directory" >/dev/null; then
    echo "$directory has other secrets than the backup, which fit other data: move it away" >&2
    exit 1
fi
docker compose down
for volume in $VOLUMES; do
    service=${volume%%:*}
    unpack='cd "$0" && if [ -n "$(ls -A)" ]; then echo "there are data in $0" >&2; exit 1; fi && tar -xzf -'
    docker compose run --rm --no-deps -T --entrypoint sh "$service" -c "$unpack" "${volume#*:}" <"$1/$service.tar.gz"
done
docker compose up --detach --wait
echo "restored: now run the audit"
