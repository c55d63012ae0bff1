#!/usr/bin/env bash
# Fills the folder $1 with `auto`, the command of go.opentelemetry.io/auto in the version of go.mod. Its module has the
# sources of its BPF programs, not the programs: they are compiled here, from a copy, by what it says itself (go:generate).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
export CGO_ENABLED=0 BPF2GO_CC=clang-19 BPF2GO_STRIP=llvm-strip-19 GOFLAGS=-mod=readonly
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

# module copies the module $1 to the folder $2.
module() {
	mkdir -p "$2"
	cp -r "$(go mod download -json "$1" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')/." "$2"
	chmod -R u+w "$2"
}

module go.opentelemetry.io/auto "$copy"
module go.opentelemetry.io/auto/sdk "$copy/sdk"
cd "$copy"
export BPF2GO_CFLAGS="-I$copy/internal/include/libbpf -I$copy/internal/include"
go generate ./internal/pkg/instrumentation/bpf/...
go build -o "$1/auto" ./cli
