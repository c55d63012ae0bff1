#!/usr/bin/env bash
# Runs every test, in four parts: `unit` (with the live eBPF tests and the stories against a real
# API server), `fuzz` (every fuzz target for 30 s, beside the parts behind it), `collector` (its
# module) and `e2e` (on $KUBECONFIG, or on a cluster of its own).
# Without an argument it runs all of them, each even when an earlier one failed, and ends with the
# sum of all test cases. `verify` and `lint` are the other two parts of `make presubmit`.
set -uo pipefail
[ -z "${KUBECONFIG:-}" ] || KUBECONFIG=$(sed -E 's,(^|:)([^/:]),\1'"$PWD"'/\2,g' <<<"$KUBECONFIG") # tests run in their folders
cd "$(dirname "$0")/.."
export CGO_ENABLED=0 GOFLAGS="${GOFLAGS:-} -trimpath" # the flags of make's builds
export CI=true # a test that lacks something here builds it, or fails; it does not skip
logs=$(mktemp -d)
fuzzing= # the process of the part fuzz while it runs
trap '[ -z "$fuzzing" ] || kill "$fuzzing" && wait; rm -rf "$logs"' EXIT
failed=()
# What the tests start finds Go and the distribution's programs, whatever else this machine's PATH has.
packaged=$(go env GOROOT)/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH=$packaged:$PATH

# part NAME COMMAND... runs one part and remembers whether it failed.
part() {
  local name=$1 start=$SECONDS
  shift
  echo "=== $name: $*"
  "$@" 2>&1 | tee "$logs/$name"
  [ "${PIPESTATUS[0]}" -eq 0 ] || failed+=("$name")
  echo "=== $name took $((SECONDS - start)) s"
}

# bpf_programs lists odi's BPF programs by id, sorted for comm.
bpf_programs() { bpftool prog show 2>/dev/null | grep -E 'name odi_' | grep -oE '^[0-9]+: \w+ +name \w+' | sort; }

unit() {
  part unit env PATH="$packaged" go test -p 2 -count=1 -timeout 20m -v ./...
}
# The end-to-end test waits most of its time: fuzzing takes the processors then, at the lowest priority.
fuzz() {
  echo "=== fuzz: begins, at the lowest priority; what it says stands at the end"
  nice --adjustment=19 hack/run.sh fuzz >"$logs/fuzz" 2>&1 &
  fuzzing=$!
}
end_fuzz() {
  [ -n "$fuzzing" ] || return 0
  local start=$SECONDS
  wait "$fuzzing" || failed+=(fuzz)
  fuzzing=
  echo "=== fuzz: it was waited for $((SECONDS - start)) s"
  cat "$logs/fuzz"
}
collector() { part collector env PATH="$packaged" bash -c 'cd collector/components && go test -count=1 -v ./...'; }
verify() { part verify make verify; }
lint() { part lint make lint; }
e2e() { part e2e go test -tags e2e -count=1 -v -timeout 25m ./test/e2e; }

if [ "$(id -u)" -ne 0 ]; then
  echo "test: the live eBPF tests and the cluster need root; 'make test-unit' needs none" >&2
  exit 1
fi
before=$(bpf_programs)
for part_name in "${@:-unit fuzz collector e2e}"; do
  for p in $part_name; do "$p"; done
done
end_fuzz
left=$(comm -13 <(echo "$before") <(bpf_programs))
if [ -n "$left" ]; then
  echo "test: BPF programs were left behind:"$'\n'"$left" >&2
  failed+=(leftovers)
fi

count() { cat "$logs"/* | grep -cE "^ *--- $1:" || true; }
[ ${#failed[@]} -eq 0 ] || echo "test: these parts failed: ${failed[*]}" >&2
if [ ${#failed[@]} -ne 0 ]; then
  grep -hE '^ *--- FAIL|^FAIL|^panic:' "$logs"/* >&2
fi
echo "$(count PASS) passed, $(count FAIL) failed, $(count SKIP) skipped"
[ ${#failed[@]} -eq 0 ]
