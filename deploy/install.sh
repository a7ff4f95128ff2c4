#!/bin/sh
# Install the project into the virtual environment $1: the program `shop`, with the code in the directory $2.
# One file, written in an instant and without the network: `pip install -e` would need a build backend, which Python
# 3.12 and later do not bring.
set -e
venv=$(cd "$1" && pwd) code=$(cd "$2" && pwd)

quoted() { # a path as the shell reads it back
    printf "'%s'" "$(printf %s "$1" | sed "s/'/'\\\\''/g")"
}

program="#!/bin/sh
# Written by deploy/install.sh. -P: modules come from the code alone, whatever the current directory holds.
PYTHONPATH=$(quoted "$code") exec $(quoted "$venv/bin/python") -P -m ops \"\$@\""

if [ "$(cat "$venv/bin/shop" 2>/dev/null)" != "$program" ]; then
    printf '%s\n' "$program" >"$venv/bin/.shop"
    chmod 755 "$venv/bin/.shop"
    mv "$venv/bin/.shop" "$venv/bin/shop" # at once: another make may run it
fi
