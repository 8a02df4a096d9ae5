#!/usr/bin/env bash
# Make .venv ready: create it, install exaplan with its pinned dependencies, remember what was installed.
# A second call with nothing changed returns at once and needs no network.
# PYTHON=... picks the interpreter; without it the first Python >= 3.11 on the path is taken.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=.venv
stamp="$venv/.exaplan-setup"

fail() { printf 'exaplan set-up: %s\n' "$*" >&2; exit 1; }

# What the environment depends on; its place is part of it because console scripts hold their absolute path.
wanted="$(printf '%s\n' "$PWD"; cat pyproject.toml constraints.txt scripts/setup.sh | cksum)"
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && "$venv/bin/python" -c "" 2>/dev/null; then
    exit 0
fi

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
    local candidate
    if [ -n "${PYTHON:-}" ]; then
        new_enough "$PYTHON" || fail "PYTHON=$PYTHON is not a Python >= 3.11"
        printf '%s' "$PYTHON"
        return
    fi
    for candidate in python3.11 python3.12 python3.13 python3.14 python3 python; do
        # An activated .venv must not be asked to make itself anew.
        case "$(command -v "$candidate" || true)" in "$PWD/$venv"/*) continue ;; esac
        if command -v "$candidate" >/dev/null 2>&1 && new_enough "$candidate"; then
            printf '%s' "$candidate"
            return
        fi
    done
    fail "no Python >= 3.11 found; install one, or name it: make PYTHON=path/to/python3.11"
}

create() {
    local python
    python="$(find_python)"
    echo "exaplan set-up: creating $venv with $("$python" --version)"
    if command -v uv >/dev/null 2>&1; then
        rm -rf "$venv"
        uv venv --quiet --python "$python" "$venv"
    elif "$python" -c 'import ensurepip' >/dev/null 2>&1; then
        "$python" -m venv --clear "$venv"
    elif "$python" -c 'import virtualenv' >/dev/null 2>&1; then
        "$python" -m virtualenv --quiet --clear "$venv"
    else
        fail "this Python has no ensurepip, so it cannot make a virtual environment with pip in it.
  Either  apt-get install python3-venv   (Debian and Ubuntu, as root)
  or      $python -m pip install --user virtualenv
  and then run the same make command again."
    fi
}

# An environment that is too old, has nothing to install with, or was made elsewhere (a moved or copied checkout) is
# made anew; any other is brought up to date.
usable() {
    new_enough "$venv/bin/python" || return 1
    command -v uv >/dev/null 2>&1 || "$venv/bin/python" -m pip --version >/dev/null 2>&1 || return 1
    [ ! -f "$stamp" ] || [ "$(head -n 1 "$stamp")" = "$PWD" ]
}
usable || create

echo "exaplan set-up: installing pinned dependencies into $venv (once; a few minutes on a slow line)"
if command -v uv >/dev/null 2>&1; then
    uv pip install --quiet --python "$venv/bin/python" --constraint constraints.txt \
        --build-constraints constraints.txt --editable '.[dev]'
else
    # A plain --constraint does not reach the build back-end: older pip reads the first variable, newer the second.
    PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1 \
        "$venv/bin/python" -m pip install --quiet --constraint constraints.txt --editable '.[dev]' \
        || fail "pip could not install the dependencies; its message is above. Behind a mirror, use pip's own settings."
fi
printf '%s\n' "$wanted" >"$stamp"
