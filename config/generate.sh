#!/bin/sh
# Writes everything that follows from api/v1alpha1 and from the RBAC markers in the code.
# Run by `go generate ./config`.
set -eu
cd "$(dirname "$0")/.."

gen() { go tool -modfile=hack/tools/gen/go.mod controller-gen "$@"; }

gen object crd applyconfiguration paths=./api/v1alpha1 output:crd:dir=config/crd

# One role per process, from the markers of that process alone.
gen rbac:roleName=odi-manager,fileName=manager.yaml paths=./controllers/... paths=./instrumentor/... output:rbac:dir=config/rbac
if [ -d odiglet ]; then
	gen rbac:roleName=odiglet,fileName=odiglet.yaml paths=./odiglet/... output:rbac:dir=config/rbac
fi

# Helm reads only files inside the chart; its templates add labels and conditions.
mkdir -p charts/odi/files/crds charts/odi/files/rbac
cp config/crd/*.yaml charts/odi/files/crds/
cp config/rbac/*.yaml charts/odi/files/rbac/
