#!/usr/bin/env bash
# Installs the Debian packages of hack/packages.txt that are missing, or those that are named.
# Idempotent and quick when nothing is missing. Only root can install; anyone else is told the one
# command that does it.
set -euo pipefail
cd "$(dirname "$0")/.."

wanted=("$@")
if [ $# -eq 0 ]; then
  while read -r package _; do
    [ -z "$package" ] || [[ $package == \#* ]] || wanted+=("$package")
  done <hack/packages.txt
fi
need=()
for package in "${wanted[@]}"; do
  # Others' packages of Node.js bring npm themselves, and conflict with Debian's.
  [ "$package" = npm ] && [ -x /usr/bin/npm ] && continue
  [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null)" = "ii " ] || need+=("$package")
done
[ ${#need[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null; then
  echo "setup: these packages are missing and this is no Debian or Ubuntu: ${need[*]}" >&2
  exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "setup: run as root: apt-get install -y --no-install-recommends ${need[*]}" >&2
  exit 1
fi
echo "[setup] installing ${#need[@]} system packages (about 1 min): ${need[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
# A package that starts a service would listen on the host; a policy of 101 keeps it from starting.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy"
  trap 'rm -f "$policy"' EXIT
fi
if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${need[@]}"; } >"$log" 2>&1; then
  tail -20 "$log" >&2
  echo "setup: installing failed; the whole log is $log" >&2
  exit 1
fi
rm -f "$log"
