package run

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/odi-dev/odi/internal/telemetry"
	"github.com/odi-dev/odi/internal/testkit"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// inNamespace begins a command line that runs in a PID namespace of its own, with
// the /proc of that, as on a node that is a container.
var inNamespace = []string{"unshare", "--kill-child", "--fork", "--pid", "--mount-proc"}

// family forks, runs programs, ends, and in the end becomes another program. $0
// asks for what it is told.
const family = `for i in 1 2 3 4 5 6; do "$0" $1/fork/$i; ( ("$0" $1/orphan/$i &) & ); done; sleep 1; exec "$0" $1/exec`

const familySize = 13

// TestRunInPIDNamespaces gives the same spans wherever odi and its targets run.
func TestRunInPIDNamespaces(t *testing.T) {
	testkit.NeedRoot(t)
	address, _ := startServer(t, os.Args[0])
	exe := named(t, "odi-caller")
	command := []string{"sh", "-c", family, exe, "http://" + address}
	deeper := append(append([]string(nil), inNamespace...), command...)
	for name, tc := range map[string]struct {
		odi     []string
		command []string
	}{
		"odi and its targets in one":  {odi: inNamespace, command: command},
		"its targets in a deeper one": {odi: inNamespace, command: deeper},
		"its targets two levels down": {odi: inNamespace, command: append(append([]string(nil), inNamespace...), deeper...)},
		"odi in the host's":           {command: deeper},
		"odi two levels down":         {odi: append(append([]string(nil), inNamespace...), inNamespace...), command: command},
	} {
		t.Run(name, func(t *testing.T) {
			args := append(append([]string{}, tc.odi...), os.Args[0], "-o", "json", "--")
			args = append(args, tc.command...)
			o := startCommand(t, []string{roleVariable + "_CHILD=" + roleCaller}, args...)
			if code := o.wait(); code != 0 {
				t.Fatalf("exit code %d\n%s", code, o.err.String())
			}
			wantFamily(t, o, len(tc.odi) > 0)
		})
	}
}

// TestRunAPIDInANamespace attaches to what runs already.
func TestRunAPIDInANamespace(t *testing.T) {
	testkit.NeedRoot(t)
	address, _ := startServer(t, os.Args[0])
	begin := filepath.Join(t.TempDir(), "begin")
	const script = `sh -c 'while [ ! -e '$3' ]; do sleep 0.05; done; ` + family + `' "$0" "$1" & exec "$2" -o json --pid $!`
	args := append(append([]string{}, inNamespace...), "sh", "-c", strings.ReplaceAll(script, `exec "$0"`, `"$0"`),
		named(t, "odi-caller"), "http://"+address, named(t, "odi"), begin)
	cmd := startCommand(t, []string{roleVariable + "=" + roleByName}, args...)
	testkit.Eventually(t, time.Minute, "odi says tracing", func() bool { return strings.Contains(cmd.err.String(), "tracing") })
	if err := os.WriteFile(begin, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if code := cmd.wait(); code != 0 {
		t.Fatalf("exit code %d\n%s", code, cmd.err.String())
	}
	wantFamily(t, cmd, true)
}

// wantFamily checks that each request of the family has its span, under the right
// name and the pid that odi's own /proc shows.
func wantFamily(t *testing.T, o *odi, nested bool) {
	t.Helper()
	paths := map[string]bool{}
	for line := range strings.Lines(o.out.String()) {
		td, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces([]byte(line))
		if err != nil {
			t.Fatalf("%v in line %s", err, line)
		}
		for _, rs := range td.ResourceSpans().All() {
			name, _ := rs.Resource().Attributes().Get(telemetry.ServiceName)
			pid, _ := rs.Resource().Attributes().Get(telemetry.ProcessPID)
			if name.Str() != "odi-caller" || nested && pid.Int() > 500 {
				t.Errorf("spans of %s, pid %d", name.Str(), pid.Int())
			}
			for _, ss := range rs.ScopeSpans().All() {
				for _, s := range ss.Spans().All() {
					url, _ := s.Attributes().Get(telemetry.URLFull)
					paths[url.Str()] = true
				}
			}
		}
	}
	if len(paths) != familySize {
		t.Errorf("spans of %d requests, want %d: %v\n%s", len(paths), familySize, paths, o.err.String())
	}
	o.wantBooks(fmt.Sprintf("seen %d = sent %d + dropped 0", familySize, familySize))
}

// startCommand runs a command line that ends in one of odi.
func startCommand(t *testing.T, env []string, args ...string) *odi {
	t.Helper()
	o := &odi{t: t, cmd: program.Command(t, args[0], args[1:]...), ended: make(chan error, 1)}
	o.cmd.Env = append(append(o.cmd.Env, roleVariable+"="+roleODI), env...)
	o.cmd.Stdout, o.cmd.Stderr = &o.out, &o.err
	o.cmd.WaitDelay = 5 * time.Second // what it started may hold its output
	if err := o.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { o.ended <- o.cmd.Wait() }()
	t.Cleanup(func() {
		if o.cmd.ProcessState == nil {
			_ = o.cmd.Process.Kill()
			<-o.ended
		}
	})
	return o
}
