package pipeline

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/odi-dev/odi/internal/collectorconfig"
)

// TestALaneIsTheSameAfterItWasRecorded: what is kept is rendered as it was.
func TestALaneIsTheSameAfterItWasRecorded(t *testing.T) {
	d := judged("odi-system", "log", valid)
	d.Spec.Type, d.Spec.Config = "debug", nil
	before, err := decide(Input{Namespace: "odi-system", Destinations: []Destination{d}})
	if err != nil {
		t.Fatal(err)
	}
	d.Verdict = kept
	after, err := decide(Input{Namespace: "odi-system", Destinations: []Destination{d}, Applied: appliedOf(t, []Destination{func() Destination { d := d; d.Verdict = valid; return d }()})})
	if err != nil {
		t.Fatal(err)
	}
	if before.Gateway.ConfigHash() != after.Gateway.ConfigHash() {
		a, _ := before.Gateway.YAML()
		b, _ := after.Gateway.YAML()
		t.Errorf("got\n%s\nwant\n%s", b, a)
	}
}

func TestAHundredAndFiftyLargeOnesHaveRoom(t *testing.T) {
	p := planOf(t, map[string]int{"": 150}, 7000, 8000)
	if len(p.Lanes) != 150 || len(p.LeftOut) != 0 {
		t.Errorf("%d lanes, left out %v", len(p.Lanes), p.LeftOut)
	}
	wantFits(t, p)
}

// TestTheLargestGivesWay: more than there is room for is the loss of who has the most.
func TestTheLargestGivesWay(t *testing.T) {
	p := planOf(t, map[string]int{"greedy": 500, "shop": 20, "bank": 1}, 15000, 8000)
	wantFits(t, p)
	for name := range p.LeftOut {
		if !strings.HasPrefix(name, "greedy/") {
			t.Errorf("%s is left out", name)
		}
	}
	if len(p.LeftOut) == 0 || len(p.Lanes)+len(p.LeftOut) != 521 {
		t.Errorf("%d are in, %d out", len(p.Lanes), len(p.LeftOut))
	}
}

// planOf has as many lanes per namespace, each with so many bytes of text and of credentials.
func planOf(t *testing.T, counts map[string]int, text, secret int) plan {
	t.Helper()
	p := plan{Credentials: map[string][]byte{}, LeftOut: map[string]error{}}
	for namespace, count := range counts {
		for n := range count {
			d := judged(namespace, fmt.Sprintf("d%d", n), valid)
			d.Secrets = map[string]string{"header_value": "x"}
			d.UID += types.UID("-of-" + namespace)
			lane, credentials, err := laneOf(Input{Namespace: ""}, d)
			if err != nil {
				t.Fatal(err)
			}
			lane.Exporters[0].Config["tls"].(map[string]any)["ca_pem"] = strings.Repeat("x", text)
			p.Lanes = append(p.Lanes, lane)
			for key := range credentials {
				p.Credentials[key] = bytes.Repeat([]byte("x"), secret)
			}
		}
	}
	p, err := p.fitted()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func wantFits(t *testing.T, p plan) {
	t.Helper()
	g, err := newGateway(Input{}, p)
	if err != nil {
		t.Fatal(err)
	}
	const limit = 1 << 20
	for _, part := range append(g.config, g.lanes...) {
		if len(part) > limit-10_000 {
			t.Errorf("a part has %d bytes", len(part))
		}
	}
	if len(g.config) > collectorconfig.MostParts || len(g.credentials) > collectorconfig.MostParts {
		t.Errorf("%d ConfigMaps and %d Secrets", len(g.config), len(g.credentials))
	}
	for _, data := range g.credentials {
		size := 0
		for key, value := range data {
			size += len(key) + len(value)
		}
		if size > limit-10_000 {
			t.Errorf("a Secret has %d bytes", size)
		}
	}
}
