#!/bin/sh
# Print a Python that is new enough: the one in $1 (make PYTHON=…), else the first on PATH.
requested=$1
if [ -z "$requested" ]; then
    set -- python3 python3.13 python3.12 python3.11
fi
for python in "$@"; do
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
        command -v "$python"
        exit 0
    fi
done
if [ -n "$requested" ]; then
    echo "✗ PYTHON=$requested is not a Python 3.11 or newer" >&2
else
    echo "✗ no Python 3.11 or newer on PATH: install one, or name it: make PYTHON=/path/to/python3.11" >&2
fi
exit 1
