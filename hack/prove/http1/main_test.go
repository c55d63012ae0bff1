package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/odi-dev/odi/bpf/guard"
	"github.com/odi-dev/odi/hack/prove/peer"
)

func TestMain(m *testing.M) {
	guard.Main()
	peer.Main()
	os.Exit(m.Run())
}

// needRoot skips where programs cannot be loaded, and fails in CI, which is root.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() == 0 {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("loading BPF programs needs root")
	}
	t.Skip("loading BPF programs needs root")
}

// TestAShortProof is `make prove-http1` with a few thousand requests.
func TestAShortProof(t *testing.T) {
	needRoot(t)
	var out strings.Builder
	o := options{seed: uint64(time.Now().UnixNano()), messages: 6000, shrink: 1, dir: t.TempDir()}
	ok, err := o.prove(&out)
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		t.Error("something is lost or wrong")
	}
	t.Log(out.String())
}
