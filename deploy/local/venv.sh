#!/bin/sh
# Create the virtual environment $1 from the lock file $2, with the Python in $3 or the first one on PATH, and install
# the project into it.
# A stamp file says what it was created from; it is missing while that is going on, or if it was interrupted.
set -e
venv=$1 lock=$2 requested=$3

made_from() { # the lock file, and the Python that is given or that an environment was created with
    cksum <"$lock"
    "$1" -c 'import sys; print(sys.version, sys.base_prefix)' 2>/dev/null || echo "no Python"
}

pip() {
    "$venv/bin/python" -m pip --disable-pip-version-check "$@"
}

# With --compile-bytecode, processes start fast even where Python may not keep compiled code (as in many containers).
# uv takes a tenth of the time that pip takes. Where uv cannot work (there is no wheel for this machine, or an index
# that only pip can use), pip installs the same files, which the lock file names by their hashes.
install() {
    index=${PIP_INDEX_URL:-$(pip config get global.index-url 2>/dev/null || :)}
    pip install --no-input --quiet --require-hashes -r "$(dirname "$0")/../requirements/installer.lock" &&
        env ${index:+UV_DEFAULT_INDEX="$index"} ${PIP_CERT:+SSL_CERT_FILE="$PIP_CERT"} \
            "$venv/bin/python" -m uv pip install --compile-bytecode --python "$venv/bin/python" --require-hashes -r "$lock" ||
        { echo "uv failed, continuing with pip" && pip install --no-input --require-hashes -r "$lock"; }
}

install_project() {
    sh "$(dirname "$0")/../install.sh" "$venv" "$(dirname "$0")/../.."
}

# Without PYTHON=… an existing environment is kept, even if python3 is another version today.
if [ -f "$venv/.made-from" ] && [ "$(cat "$venv/.made-from")" = "$(made_from "${requested:-$venv/bin/python}")" ]; then
    install_project
    exit 0
fi

python=$(sh "$(dirname "$0")/python.sh" "$requested")
if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
    echo "✗ $python cannot make virtual environments (no venv or ensurepip):" \
        "on Debian and Ubuntu, apt install python3-venv" >&2
    exit 1
fi
echo "creating $venv from $lock with $("$python" -V)"
rm -f "$venv/.made-from"
"$python" -m venv --clear "$venv"
install
install_project
made_from "$venv/bin/python" >"$venv/.made-from"
