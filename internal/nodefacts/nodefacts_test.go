package nodefacts

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFactsAlwaysFit: what the kubelet cuts is no JSON any more.
func TestFactsAlwaysFit(t *testing.T) {
	f := Facts{Kernel: "6.18.0", BTF: true, Preloaded: strings.Repeat("/lib/x.so ", 500), Unseen: map[string]string{}}
	for i := range 40 {
		name := fmt.Sprintf("Feature%d", i)
		f.Features = append(f.Features, Feature{Name: name, State: "Unavailable", Reason: strings.Repeat("because ", 60)})
		f.Looks = append(f.Looks, Look{Address: name + ".example:4317", Error: strings.Repeat("no answer ", 60)})
		f.Instrumenters = append(f.Instrumenters, name)
		f.Unseen[name] = strings.Repeat("denied ", 60)
	}
	data, err := Encode(f)
	if err != nil || len(data) > MaxBytes {
		t.Fatalf("%d bytes, %v", len(data), err)
	}
	got, err := Decode(data)
	if err != nil || got.Kernel != f.Kernel || !got.BTF || len(got.Features) != len(f.Features) || got.Features[0].State != "Unavailable" {
		t.Errorf("what matters is lost: %v, %+v", err, got)
	}
}

func TestShortFactsComeBackWhole(t *testing.T) {
	f := Facts{Kernel: "6.18.0", Capabilities: []string{"BPF"}, Features: []Feature{{Name: "SocketSpans", State: "Active"}},
		Looks: []Look{{Address: "a:1", Error: "x"}}, Unseen: map[string]string{"jit": "denied"}}
	data, err := Encode(f)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(data)
	if diff := cmp.Diff(f, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}
