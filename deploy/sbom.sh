#!/bin/sh
# Write what is installed in the virtual environment $1 to the file $2, as a CycloneDX 1.6 SBOM in JSON; needs no network.
# The same environment gives the same file. (It is not validated: that takes twenty times as long as writing it.)
set -e
mkdir -p "$(dirname "$2")"
"$1/bin/cyclonedx-py" environment --no-validate --output-reproducible \
    --pyproject "$(dirname "$0")/../pyproject.toml" --output-file "$2" "$1/bin/python" 2>/dev/null ||
    { echo "✗ cyclonedx-py could not read $1" >&2 && exit 1; }
echo "$2"
