#!/usr/bin/env bash
# Writes every generated file of the repository. `make verify` proves that they are current.
set -euo pipefail
cd "$(dirname "$0")/.."
echo "[generate] deepcopy, apply configurations, CRDs and roles"
hack/quiet.sh go generate ./config
echo "[generate] BPF objects and everything else with a go:generate line"
hack/quiet.sh go generate ./bpf/... ./charts/... ./cli/...
