package bpf_test

import (
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/odi-dev/odi/bpf"
	"github.com/odi-dev/odi/bpf/probe"
)

// TestFeatures loads the engine on the kernel that it finds. What a kernel lacks
// must be said in a sentence; a kernel new enough for everything must have all.
func TestFeatures(t *testing.T) {
	needRoot(t)
	// What the verifier says is needed where a kernel refuses a program.
	log := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{Level: slog.LevelDebug}))
	e, err := bpf.Load(bpf.Options{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	e.AwaitProtocols()
	if !e.Has("odi_sent") { // before Linux 6.3
		reason := e.Features()[0].Reason
		for _, lacking := range []string{"requests over TLS", "http2", "dns", "needs Linux 6.3"} {
			if !strings.Contains(reason, lacking) {
				t.Errorf("it does not say that it lacks %s: %s", lacking, reason)
			}
		}
	}
	for _, f := range e.Features() {
		t.Logf("%s: %s %s", f.Name, f.State, f.Reason)
		if f.State != probe.Active && !strings.Contains(f.Reason, "needs Linux") {
			t.Errorf("%s is %s: %s", f.Name, f.State, f.Reason)
		}
	}
}
