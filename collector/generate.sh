#!/usr/bin/env bash
# Writes main.go, components.go, go.mod and go.sum from builder.yaml.
#
# `go mod tidy` is not run: it asks for modules of the components' own tests,
# of which some cannot be had at this version. The checksum database lacks
# some of the modules as well; their checksums are written here once, and
# every later build verifies against the committed go.sum.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

version=$(awk '$1 == "version:" {print $2}' builder.yaml)
export GONOSUMDB='*' GOWORK=off
rm -f go.mod go.sum
go run "go.opentelemetry.io/collector/cmd/builder@v$version" --config builder.yaml --skip-compilation --skip-get-modules
rm -f main_others.go main_windows.go # run.go stands in for them
gofmt -w main.go components.go
(cd components && go build -mod=mod ./...)
go build -mod=mod -o /dev/null .
