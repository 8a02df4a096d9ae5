#!/usr/bin/env bash
# Install what Python packages cannot bring: a browser and a font, used only by the tests that look at the report.
# Does so only as root on a machine with apt-get; anywhere else it says why not and succeeds, and those tests skip.
# The outcome is remembered in .venv so that a second call is instant; delete the file it names to try again.
set -euo pipefail
cd "$(dirname "$0")/.."

note=.venv/.exaplan-system-packages
packages=(chromium fonts-dejavu-core)

has_browser() {
    local name
    for name in chromium chromium-browser google-chrome; do
        command -v "$name" >/dev/null 2>&1 && return 0
    done
    return 1
}

give_up() {
    local message="browser tests will skip: $1"
    echo "$message"
    mkdir -p "$(dirname "$note")"
    printf '%s (%s remembers this)\n' "$message" "$note" >"$note"
    exit 0
}

has_browser && exit 0
if [ -f "$note" ]; then
    cat "$note"
    exit 0
fi
[ "${EXAPLAN_SYSTEM_PACKAGES:-yes}" = no ] && give_up "EXAPLAN_SYSTEM_PACKAGES=no"
command -v apt-get >/dev/null 2>&1 || give_up "no Chromium here, and no apt-get to install it with"
[ "$(id -u)" -eq 0 ] || give_up "no Chromium here; as root: apt-get install ${packages[*]}"

echo "installing ${packages[*]} for the browser tests"
export DEBIAN_FRONTEND=noninteractive
options=(-qq -o Acquire::Retries=1 -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30)
log="$(mktemp)"
trap 'rm -f "$log"' EXIT
if ! { timeout 120 apt-get "${options[@]}" update && timeout 300 apt-get "${options[@]}" install -y --no-install-recommends "${packages[@]}"; } >"$log" 2>&1; then
    give_up "apt-get could not install ${packages[*]}: $(tail -n 1 "$log")"
fi
has_browser || give_up "apt-get installed ${packages[*]}, yet no chromium is on the path"
