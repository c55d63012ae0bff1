#!/usr/bin/env bash
# Runs a go command without its list of downloads, which would hide everything else on a fresh
# machine: one line says that it downloads. When it fails, the last downloads are shown as well.
set -euo pipefail
if ! command -v "$1" >/dev/null; then
  echo "$1 is not in the PATH; where sudo leaves it out: sudo env \"PATH=\$PATH\" make ..." >&2
  exit 127
fi
downloads=$(mktemp)
trap 'rm -f "$downloads"' EXIT

# others passes on what is no download, and keeps the downloads.
others() {
  local line=
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in
    'go: downloading '*)
      [ -s "$downloads" ] || echo "downloading Go modules" >&2
      echo "$line" >>"$downloads"
      ;;
    *) printf '%s\n' "$line" >&2 ;;
    esac
  done
}

status=0
{ "$@" 2>&1 >&3 3>&- | others; } 3>&1 || status=$?
[ "$status" -eq 0 ] || tail -5 "$downloads" >&2
exit "$status"
