#!/usr/bin/env bash
# Runs the demo's story (install, instrument, trace) with the whole local cluster in a PID namespace
# of its own, as on a node that is a container (kind, k3d, minikube): `make build && hack/nested.sh`.
# Leaves nothing behind. Needs root. Its cluster has a name and a slot of its own, beside `make demo`'s.
set -euo pipefail
cd "$(dirname "$0")/.."
export ODI_CLUSTER_NAME=nested ODI_CLUSTER_SLOT=${ODI_CLUSTER_SLOT:-1}
if [ "${1:-}" != inside ]; then
  exec unshare --pid --fork --kill-child --mount --mount-proc "$0" inside
fi
mount --make-rshared /
trap 'go run ./hack/cluster down' EXIT
go run ./hack/demo up
