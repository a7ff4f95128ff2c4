#!/bin/sh
# Runs a program that is started again when it ends. Not if its settings are wrong (exit status 78, sysexits.h): to start
# it again would change nothing, so this waits to be stopped, and the container is unhealthy until its settings change.
"$@" &
program=$!
trap 'kill -TERM "$program" 2>/dev/null' TERM INT
wait "$program"
status=$?
# A signal ends the waiting as well.
while kill -0 "$program" 2>/dev/null; do
    wait "$program"
    status=$?
done
if [ "$status" = 78 ]; then
    sleep infinity &
    waiting=$!
    trap 'kill "$waiting"; exit 78' TERM INT
    echo "not started again: its settings have to change first" >&2
    wait "$waiting"
fi
exit "$status"
