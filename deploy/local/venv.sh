#!/bin/sh
# Make the virtual environment $1 from the lock file $2, with the Python asked for as $3 or the one found.
# A stamp says what it was made from; while it is being made, and after that was interrupted, there is none.
set -e
venv=$1 lock=$2 asked=$3

made_from() { # lock file, and the Python that this one is or belongs to
    cksum <"$lock"
    "$1" -c 'import sys; print(sys.version, sys.base_prefix)' 2>/dev/null || echo "no Python"
}

pip() {
    "$venv/bin/python" -m pip --disable-pip-version-check "$@"
}

# uv takes a tenth of the time that pip does. Where it is kept from it (no wheel of it for this machine, an index that
# only pip can speak to), pip installs the same files, which the lock names by their hashes.
install() {
    index=${PIP_INDEX_URL:-$(pip config get global.index-url 2>/dev/null || :)}
    pip install --no-input --quiet --require-hashes -r "$(dirname "$0")/../requirements/installer.lock" &&
        env ${index:+UV_DEFAULT_INDEX="$index"} ${PIP_CERT:+SSL_CERT_FILE="$PIP_CERT"} \
            "$venv/bin/python" -m uv pip install --python "$venv/bin/python" --require-hashes -r "$lock" ||
        { echo "uv could not, pip goes on" && pip install --no-input --require-hashes -r "$lock"; }
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
install
made_from "$venv/bin/python" >"$venv/.made-from"
