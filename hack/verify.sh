#!/usr/bin/env bash
# Fails when a generated file, the formatting or a module file is not what the sources say.
# Runs after hack/generate.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
bad=0
complain() { echo "verify: $1" >&2; bad=1; }

changed=$(git status --porcelain)
[ -z "$changed" ] || complain "these files are not current, or not committed; run 'make generate' and commit:"$'\n'"$changed"
unformatted=$(git ls-files '*.go' | xargs gofmt -l)
[ -z "$unformatted" ] || complain "these files are not formatted; run 'make fmt':"$'\n'"$unformatted"
go mod tidy -diff >/dev/null || complain "go.mod is not tidy; run 'go mod tidy'"
hack/quiet.sh go vet ./... || complain "go vet has findings"
[ "$bad" -eq 0 ] && echo "verify: generated files, formatting and module files are current"
exit "$bad"
