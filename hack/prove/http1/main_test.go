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

// odd: durations are held by the long proof: a busy machine must not fail a test.
var odd = features{"client: duration", "server: duration"}

// TestAShortProof is `make prove-http1` with a few thousand requests.
func TestAShortProof(t *testing.T) {
	testkit.NeedRoot(t)
	tests := map[string]options{
		"IPv4":   {only: ", v4,", known: odd},
		"IPv6":   {only: ", v6,", known: odd},
		"mapped": {only: ", mapped,", known: odd},
		"unix":   {only: ", unix,", known: odd},
	}
	for name, o := range tests {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			o.seed, o.messages, o.shrink, o.list, o.dir = uint64(time.Now().UnixNano()), 2500, 1, 20, t.TempDir()
			ok, err := o.prove(&out)
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				t.Error("something is lost or wrong")
			}
			t.Log(out.String())
		})
	}
}
