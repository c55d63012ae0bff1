#!/usr/bin/env bash
# Builds one line of the agent into a folder: line.sh LINE FROM DIR. The packages are those of the line's
# lock file, which npm compares with what it downloads; it runs none of their scripts.
set -euo pipefail
source=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
line=$1 from=$2 out=$3

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$source/$line/package.json" "$source/$line/package-lock.json" "$work/"
# npm's own cache: a second build downloads nothing.
npm --prefix "$work" ci --ignore-scripts --no-audit --no-fund --loglevel=error --cache "${XDG_CACHE_HOME:-$HOME/.cache}/odi/npm" >&2
node "$source/build.mjs" "$work" "$from" "$out"
