# odi: `make help` lists the targets. Everything that they need is installed by `make setup`,
# which they call themselves.
SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VERSION    ?= 0.1.0
GO         ?= go
QUIET_GO   := hack/quiet.sh $(GO)
LINT_TOOL  := $(QUIET_GO) tool -modfile=hack/tools/lint/go.mod
GO_BUILD   := $(QUIET_GO) build -ldflags "-s -w -X github.com/odi-dev/odi/internal/version.Version=$(VERSION)"
# The distribution's programs come before others of their names: a Python of pyenv, a JDK by hand.
PACKAGED   := $(shell $(GO) env GOROOT 2>/dev/null)/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH := $(PACKAGED):$(PATH)
# One set of flags for builds and tests, so that every dependency is compiled once.
export CGO_ENABLED := 0
export GOFLAGS     := $(GOFLAGS) -trimpath
BINARIES   := odi odi-manager odiglet
KERNELS    ?= 6.1:amd64 6.12:amd64 6.12:arm64
GO_SOURCES := $(shell git ls-files '*.go' | grep -vE '(zz_generated|_bpfe[lb]\.go$$|^collector/|/testdata/)')

.PHONY: help
help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Install the system packages that the build and the tests need (Debian and Ubuntu).
	@hack/setup.sh

.PHONY: build
build: ## Build odi, odi-manager and odiglet into bin/.
	@mkdir -p bin
	@[ -e bin/odi ] || echo "the first build compiles all dependencies (about 5 min)"
	@for b in $(BINARIES); do echo "building bin/$$b"; $(GO_BUILD) -o bin/$$b ./cmd/$$b; done

.PHONY: generate
generate: setup ## Write deepcopy code, CRDs, RBAC, BPF objects, the chart's copies and the CLI reference.
	@hack/generate.sh

.PHONY: images
images: setup build ## Build the container images without a container engine.
	@hack/run.sh images build

.PHONY: try
try: ## Trace two services on loopback with `odi run`; no cluster needed (as root).
	@hack/run.sh try

.PHONY: demo
demo: setup build ## Bring up a cluster, install odi, instrument the shop, show a trace from Jaeger (as root).
	@hack/run.sh demo up

.PHONY: demo-down
demo-down: ## Remove all that the demo started; keep the caches.
	@hack/run.sh demo down

.PHONY: test
test: setup build ## Pass all tests: unit, live eBPF, API server stories, fuzz targets for 30 s each, end to end on a cluster (as root).
	@hack/test.sh

.PHONY: test-unit
test-unit: setup ## Pass the tests that need neither root nor a cluster.
	@PATH="$(PACKAGED)" $(QUIET_GO) test -short -timeout 20m ./...

.PHONY: test-fresh
test-fresh: ## Pass the unit and live tests and `make try` in a minimal system of their own (as root; slow).
	@hack/fresh.sh

.PHONY: test-e2e
test-e2e: setup build ## Pass the end-to-end test alone, on $$KUBECONFIG or on the local cluster.
	@hack/test.sh e2e

.PHONY: fuzz
fuzz: setup ## Run every fuzz target for 30 s; ARGS="-each 5m -run FuzzTake".
	@hack/run.sh fuzz $(ARGS)

.PHONY: test-kernels
test-kernels: ## Run the engine's live tests on other kernels in qemu (as root; slow); KERNELS="6.12:arm64 6.17:amd64".
	@for k in $(KERNELS); do hack/kernels.sh "$${k%:*}" "$${k#*:}"; done

.PHONY: bench-engine
bench-engine: setup build ## Measure the eBPF engine: prints `name value unit`, writes bench/engine.json (as root).
	@hack/run.sh bench

.PHONY: prove-http1
prove-http1: setup ## Send 200,000 random requests through real sockets, compare with all that was seen (as root); ARGS="-seed 1".
	@hack/run.sh prove/http1 $(ARGS)

.PHONY: prove-bytes
prove-bytes: setup ## Send 100,000 random messages of other protocols through traced clients, compare every byte (as root).
	@hack/run.sh prove/bytes $(ARGS)

.PHONY: prove-redaction
prove-redaction: setup ## Hide 200 secrets in URLs, headers, statements, messages and command lines, look for each in all that odi tells (as root); ARGS="-seed 1".
	@hack/run.sh prove/redaction $(ARGS)

.PHONY: prove-outage
prove-outage: setup ## Prove with the real gateway that backends that are away for ten minutes cost others nothing; prints figures.
	@PATH="$(PACKAGED)" CI=true $(QUIET_GO) test -count=1 -v -timeout 30m -run DeadBackendsCost ./internal/collectorconfig -outage 10m

.PHONY: bench-scale
bench-scale: setup build ## Measure many targets and unselected programs: prints `name value unit`, writes bench/scale.json (as root).
	@$(GO) run ./hack/bench -suite scale

.PHONY: bench-protocols
bench-protocols: setup build ## Measure what tracing each protocol costs, programs that nobody selects, and whole programs against their targets; writes bench/protocols.json and docs/price.md (as root).
	@PATH="$(PACKAGED)" $(GO) run ./hack/bench -suite protocols -update docs/price.md $(ARGS)

.PHONY: bench-agents
bench-agents: setup build ## Measure applications without odi, with eBPF, with its agents, with plain ones; writes bench/agents.json (as root).
	@PATH="$(PACKAGED)" $(GO) run ./hack/bench -suite agents -window 3s $(ARGS)

.PHONY: prove-parents
prove-parents: setup build ## Prove on programs in many languages that no parent is wrong; writes docs/linked.md (as root).
	@$(GO) run ./hack/prove/parents -update docs/linked.md

.PHONY: field
field: setup build ## Run every case of the field and print them in a table (as root; slow); ARGS="-kind framing,4 -short", ARGS=-list.
	@hack/run.sh field $(ARGS)

.PHONY: prove-destinations
prove-destinations: setup ## Make 500 hostile Destinations around a good one, and count what the good one gets; ARGS="-seed 1".
	@CI=true $(GO) test ./controllers -run TestHostileDestinationsHarmNobody -count=1 -v -timeout 30m -hostile 500 $(ARGS)

.PHONY: prove-agents
prove-agents: setup ## Run the language agents on every release of their runtimes; prints a line for each (as root; slow).
	@PATH="$(PACKAGED)" $(QUIET_GO) test -count=1 -v -timeout 60m ./agents/java ./agents/nodejs ./agents/python -args -wide $(ARGS) | grep -E '^ *(--- |ok|FAIL|panic)|_test.go:'

.PHONY: prove-handover
prove-handover: build ## On the cluster of `make demo`: give services their agents under load and take them back, count the spans of each request.
	@hack/run.sh prove/handover $(ARGS)

.PHONY: prove-injection
prove-injection: setup ## Try 10,000 generated and 104 realistic pods with the webhook and without, and one that is down; ARGS="-seed 1".
	@CI=true $(GO) test ./hack/prove/injection -count=1 -v -timeout 60m -pods 5000 $(ARGS)

.PHONY: fmt
fmt: ## Format Go.
	@gofmt -w $(GO_SOURCES)

.PHONY: lint
lint: ## Run the linters.
	@$(LINT_TOOL) golangci-lint run ./...

.PHONY: verify
verify: generate ## Prove that generated files, formatting and module files are current.
	@hack/verify.sh

.PHONY: presubmit
presubmit: verify lint test ## All that a change must pass before it is pushed.

.PHONY: clean
clean: ## Remove what `make build` made.
	@rm -rf bin dist
