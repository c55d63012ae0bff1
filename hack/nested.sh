#!/usr/bin/env bash
# Runs a command in a PID namespace of its own, as on a node that is a container (kind, k3d,
# minikube): `hack/nested.sh COMMAND...`. A cluster that it brings up lies in there as a whole; what
# is left of it when the command ends, ends too. Without a command it runs the demo's story (after
# `make build`) on a cluster that is named and placed apart from `make demo`'s. Needs root.
set -euo pipefail
if [ "${1:-}" != inside ]; then
  exec unshare --pid --fork --kill-child --mount --mount-proc "$0" inside "$@"
fi
shift
mount --make-rshared / # as a node has it: the mounts of pods reach the containers in there
[ $# -eq 0 ] || exec "$@"
cd "$(dirname "$0")/.."
export ODI_CLUSTER_NAME=nested ODI_CLUSTER_SLOT=${ODI_CLUSTER_SLOT:-1}
trap 'hack/run.sh cluster down' EXIT
hack/run.sh demo up
