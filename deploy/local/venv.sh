#!/bin/sh
# Make the virtual environment $1 from the lock file $2, with the Python asked for as $3 or the one found.
# A stamp says what it was made from; while it is being made, and after that was interrupted, there is none.
set -e
venv=$1 lock=$2
python=$(sh "$(dirname "$0")/python.sh" "$3")

wanted="$("$python" -c 'import sys; print(sys.version, sys.base_prefix)') $(cksum <"$lock")"
if [ -x "$venv/bin/python" ] && [ "$(cat "$venv/.made-from" 2>/dev/null)" = "$wanted" ]; then
    exit 0
fi

if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
    echo "✗ $python cannot make virtual environments (no venv or ensurepip):" \
        "on Debian and Ubuntu, apt install python3-venv" >&2
    exit 1
fi
echo "making $venv from $lock with $("$python" -V)"
rm -f "$venv/.made-from"
"$python" -m venv --clear "$venv"
"$venv/bin/python" -m pip install --disable-pip-version-check --no-input --require-hashes -r "$lock"
printf '%s\n' "$wanted" >"$venv/.made-from"
