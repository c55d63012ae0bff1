#!/usr/bin/env bash
# Writes every generated file of the repository. `make verify` proves that they are current.
set -euo pipefail
cd "$(dirname "$0")/.."
gen() { go tool -modfile=hack/tools/gen/go.mod "$@"; }

echo "[generate] deepcopy, CRDs and roles"
gen controller-gen object paths=./api/...
gen controller-gen crd paths=./api/... output:crd:dir=config/crd
echo "[generate] BPF objects and everything else with a go:generate line"
go generate ./bpf/... ./charts/... ./cli/... ./config/...
