#!/usr/bin/env bash
# Compile constraints.txt anew: one pin for every direct and indirect dependency, the build back-end included.
# No download address, link or hash is written, so the file works with any mirror.
set -euo pipefail
cd "$(dirname "$0")/.."

if command -v uv >/dev/null 2>&1; then
    uv=uv
else
    [ -x .venv/bin/uv ] || .venv/bin/python -m pip install --quiet uv
    uv=.venv/bin/uv
fi

new="$(mktemp)"
trap 'rm -f "$new"' EXIT
{
    echo "# Every version that set-up installs; made by 'make constraints' from pyproject.toml, not by hand."
    printf '%s\n' 'hatchling>=1.27' editables | "$uv" pip compile pyproject.toml - --quiet \
        --extra dev --python-version 3.11 --universal --upgrade \
        --no-header --no-annotate --no-emit-index-url --no-emit-find-links
} >"$new"
if grep -q '://' "$new"; then
    echo "constraints.txt would hold a download address; left as it was:" >&2
    grep '://' "$new" >&2
    exit 1
fi
cat "$new" >constraints.txt
echo "constraints.txt: $(grep -c '==' constraints.txt) pins"
