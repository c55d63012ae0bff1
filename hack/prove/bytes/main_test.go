package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/odi-dev/odi/bpf/guard"
	"github.com/odi-dev/odi/hack/prove/peer"
	"github.com/odi-dev/odi/internal/testkit"
)

func TestMain(m *testing.M) {
	guard.Main()
	peer.Main()
	os.Exit(m.Run())
}

// TestAShortProof is `make prove-bytes` with a few thousand messages.
func TestAShortProof(t *testing.T) {
	testkit.NeedRoot(t)
	var out strings.Builder
	o := options{seed: uint64(time.Now().UnixNano()), messages: 12_000}
	ok, err := o.prove(&out)
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		t.Error("bytes were changed, or spans were made of them")
	}
	t.Log(out.String())
}
