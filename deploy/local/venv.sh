#!/bin/sh
# Make the virtual environment $1 from the lock file $2, with the Python asked for as $3 or the one found.
# A stamp says what it was made from; while it is being made, and after that was interrupted, there is none.
set -e
venv=$1 lock=$2 asked=$3

made_from() { # lock file, and the Python that this one is or belongs to
    cksum <"$lock"
    "$1" -c 'import sys; print(sys.version, sys.base_prefix)' 2>/dev/null || echo "no Python"
}

# Without PYTHON=… an environment that works is good, whatever python3 means today.
if [ -f "$venv/.made-from" ] && [ "$(cat "$venv/.made-from")" = "$(made_from "${asked:-$venv/bin/python}")" ]; then
    exit 0
fi

python=$(sh "$(dirname "$0")/python.sh" "$asked")
if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
    echo "✗ $python cannot make virtual environments (no venv or ensurepip):" \
        "on Debian and Ubuntu, apt install python3-venv" >&2
    exit 1
fi
echo "making $venv from $lock with $("$python" -V)"
rm -f "$venv/.made-from"
"$python" -m venv --clear "$venv"
"$venv/bin/python" -m pip install --disable-pip-version-check --no-input --require-hashes -r "$lock"
made_from "$venv/bin/python" >"$venv/.made-from"
