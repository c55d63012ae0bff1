#!/usr/bin/env bash
# Fills the folder $1 with the service and the packages of its lock file, which npm compares with what it downloads.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# Debian has npm in a package of its own, which others' packages of Node.js conflict with.
command -v npm >/dev/null || ../../../setup.sh npm >&2
cp package.json package-lock.json reviews.js "$1/"
npm --prefix "$1" ci --ignore-scripts --no-bin-links --no-audit --no-fund --loglevel=error --cache "${XDG_CACHE_HOME:-$HOME/.cache}/odi/npm" >&2
