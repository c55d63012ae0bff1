package check_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/odi-dev/odi/cli/checks"
	"github.com/odi-dev/odi/internal/nodefacts"
	"github.com/odi-dev/odi/internal/testkit"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// TestThisMachineAsANode runs the command of the short-lived pod on this machine, whose kernel has what
// the engine needs, and judges what it really prints.
func TestThisMachineAsANode(t *testing.T) {
	testkit.NeedRoot(t)
	odiglet := t.TempDir() + "/odiglet"
	build := program.Command(t, "go", "build", "-o", odiglet, "github.com/odi-dev/odi/cmd/odiglet")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := program.Command(t, odiglet, "facts", "--call=localhost:1").Output()
	if err != nil {
		t.Fatal(err)
	}
	if len(out) > nodefacts.MaxBytes+1 {
		t.Errorf("%d bytes do not fit into a container's last message", len(out))
	}
	seen, err := nodefacts.Decode(out)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if len(seen.Looks) != 1 || !seen.Looks[0].Resolved || seen.Looks[0].Connected || !strings.Contains(seen.Looks[0].Error, "refused") {
		t.Errorf("what became of localhost:1: %+v", seen.Looks)
	}
	facts := checks.Facts{
		Nodes:   checks.Of([]corev1.Node{}),
		OnNodes: checks.Of(map[string]checks.Known[nodefacts.Facts]{"this": checks.Of(seen)}),
	}
	// What every machine has that the tests run on. The others depend on where it runs, and are judged all the same.
	for _, code := range []string{"ODI-610", "ODI-611", "ODI-612", "ODI-613", "ODI-619", "ODI-621"} {
		c, ok := checks.Find(code)
		if !ok {
			t.Fatalf("there is no %s", code)
		}
		if findings := c.Judge(facts); len(findings) != 1 || findings[0].State != checks.OK || findings[0].Subject != "this" {
			t.Errorf("%s: %+v", code, findings)
		}
	}
	for _, result := range checks.Judge(facts, checks.Before).Results {
		for _, f := range result.Findings {
			if f.Subject == "this" && f.State != checks.OK {
				t.Logf("%s %s: %s", result.Code, f.State, f.Text)
			}
		}
	}
}
