package node

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/hack/cluster/layout"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func cluster(t *testing.T) layout.Cluster {
	t.Helper()
	c, err := layout.New("", "", "/state")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestConfigFiles(t *testing.T) {
	for name := range configFiles {
		t.Run(name, func(t *testing.T) {
			got, err := render(name, cluster(t), Binaries{Runc: "/cache/runc"})
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name, got)
		})
	}
}

func TestNetworkSteps(t *testing.T) {
	var lines strings.Builder
	for _, step := range networkSteps(cluster(t)) {
		lines.WriteString("ip " + strings.Join(step.args, " ") + "\n")
	}
	golden(t, "network.txt", lines.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", name, diff)
	}
}

func TestOnlyThisClustersShimsAreFound(t *testing.T) {
	const socket = "/run/odi/odi/containerd.sock"
	tests := map[string]struct {
		argv []string
		want bool
	}{
		"a shim of this cluster":        {[]string{"/c/containerd-shim-runc-v2", "-namespace", "k8s.io", "-id", "x", "-address", socket}, true},
		"a shim of another containerd":  {[]string{"/c/containerd-shim-runc-v2", "-namespace", "k8s.io", "-address", "/run/containerd/containerd.sock"}, false},
		"another program with the flag": {[]string{"/bin/grep", "-address", socket}, false},
		"a shim without an address":     {[]string{"containerd-shim-runc-v2", "-address"}, false},
		"a kernel thread":               {[]string{""}, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := isShim([]byte(strings.Join(tc.argv, "\x00")+"\x00"), socket); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}
