package main

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/odi-dev/odi/internal/testkit"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// TestNoWrongParents proves the programs that need nothing but hack/packages.txt;
// `make prove-parents` proves them all.
func TestNoWrongParents(t *testing.T) {
	testkit.NeedRoot(t)
	for _, name := range []string{"/usr/bin/python3", "node", "javac", "/usr/lib/jvm/java-17-openjdk-amd64/bin/java", "/usr/sbin/nginx", "/usr/sbin/haproxy"} {
		program.Need(t, name)
	}
	odi := filepath.Join(t.TempDir(), "odi")
	if out, err := program.Command(t, "go", "build", "-o", odi, "../../try/odi").CombinedOutput(); err != nil {
		t.Fatalf("building odi: %v: %s", err, out)
	}
	p, err := newPlace(flags{odi: odi, cache: t.TempDir(), apps: "apps"})
	if err != nil {
		t.Fatal(err)
	}
	// The least share of linked requests; 0 where none can be told.
	wantLinked := map[string]float64{
		"Python, a thread per connection":   1,
		"Node.js":                           0,
		"Java, a pool of threads":           1,
		"Go, in the handler":                1,
		"Go, errgroup":                      0.5,
		"Go, asks, then fans out":           0.7,
		"Go, a pool that grows in requests": 0,
		"nginx":                             0.9,
		"nginx, limit_req that delays":      0.9,
		"HAProxy":                           0.9,
	}
	chosen := slices.DeleteFunc(slices.Clone(runtimes), func(r subject) bool { _, in := wantLinked[r.name]; return !in })
	if len(chosen) != len(wantLinked) {
		t.Fatalf("%d programs are known of %d", len(chosen), len(wantLinked))
	}
	if err := p.install(t.Context(), chosen); err != nil {
		t.Fatal(err)
	}
	for _, r := range chosen {
		t.Run(r.name, func(t *testing.T) {
			got, err := p.prove(t.Context(), r, []level{{10, 400}})
			if err != nil {
				t.Fatal(err)
			}
			v := got.levels[0]
			for _, wrong := range v.wrong {
				t.Error("wrong parent:", wrong)
			}
			if v.asked < 400 || v.own == 0 {
				t.Errorf("%d requests to the backend and %d of its own were seen, want 400 and some", v.asked, v.own)
			}
			if share := float64(v.linked) / float64(max(v.asked, 1)); share < wantLinked[r.name] {
				t.Errorf("%.3f of its requests are linked, want %.2f", share, wantLinked[r.name])
			}
		})
	}
}
