#!/usr/bin/env bash
# Builds a tool of hack/ into bin/tools and runs it: `hack/run.sh demo up`. Unlike `go run` it lists no
# downloads, and the tool gets the signals and gives its exit code.
set -euo pipefail
cd "$(dirname "$0")/.."
tool=bin/tools/$1
CGO_ENABLED=0 hack/quiet.sh go build -o "$tool" "./hack/$1"
shift
exec "$tool" "$@"
