package python_test

import (
	"path/filepath"
	"testing"
	"time"
)

// TestTheAgentRunsOnARM64 takes the very folder that the other tests do, and Debian's CPython for arm64 in an emulator.
// The frameworks come from an environment of this machine: where a package has compiled parts, they are of no use
// there, and it takes its pure Python.
func TestTheAgentRunsOnARM64(t *testing.T) {
	if !*wide {
		t.Skip("it fetches an emulator and programs for arm64: make prove-agents")
	}
	packages, err := filepath.Glob(filepath.Join(filepath.Dir(environment(t, "frameworks")), "../lib/python3*/site-packages"))
	if err != nil || len(packages) != 1 {
		t.Fatalf("the environment has the packages %v: %v", packages, err)
	}
	dir := agent(t)
	for _, name := range []string{"Flask in gunicorn", "Django in gunicorn"} {
		t.Run(name, func(t *testing.T) {
			to := newReceiver(t)
			env := injected(dir, to.url, "PYTHONPATH="+dir+"/boot:"+packages[0])
			s := serve(t, env, append([]string{onARM64 + "/usr/bin/python3.11"}, servers[name].args...)...)
			const requests = 5
			for i := range requests {
				get(t, s, i, "01")
				get(t, s, i, "00")
			}
			checkSpans(t, to.wait(t, 3*requests), requests, servers[name].routeA, servers[name].leaf)
			if states := statesOf(t, s.cmd.Process.Pid); states != "alive" {
				t.Errorf("the server says %q, want alive", states)
			}
			if took := s.end(t); took > 30*time.Second {
				t.Errorf("the server took %v to end", took)
			}
			to.wantMetrics(t)
		})
	}
}
