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

// jobs is a program that forks a child for each job, which asks once and is gone.
const jobs = `
import os, socket, sys
def children_gone():
    global running
    while running:
        pid, _ = os.waitpid(-1, os.WNOHANG if running < 8 else 0)
        if not pid: return
        running -= 1
host, port, n = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
running = 0
for i in range(n):
    if not os.fork():
        s = socket.create_connection((host, port))
        s.sendall(b"GET /fork/%d HTTP/1.1\r\nHost: x\r\n\r\n" % i)
        s.recv(4096)
        os._exit(0)
    running += 1
    children_gone()
while running:
    os.wait(); running -= 1
`

// once is a script that asks for its third argument, in bash alone.
const once = `#!/bin/bash
exec 3<>/dev/tcp/$1/$2
printf 'GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' "$3" >&3
read -r line <&3
`

// TestShortLivedClients has a thousand clients, of which some are forked, some
// executed, some orphaned; none lives for longer than its request. Each has its span,
// under the name of its own program.
func TestShortLivedClients(t *testing.T) {
	testkit.NeedRoot(t)
	program.Need(t, "python3")
	program.Need(t, "bash")
	const forks, execs = 600, 200
	address, _ := startServer(t, os.Args[0])
	host, port, _ := strings.Cut(address, ":")
	dir := t.TempDir()
	for name, text := range map[string]string{"jobs.py": jobs, "once.sh": once} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	script := fmt.Sprintf(`cd %[1]s
python3 jobs.py %[2]s %[3]s %[4]d & forks=$!
i=0; while [ $i -lt %[5]d ]; do ./once.sh %[2]s %[3]s /exec/$i; ( (./once.sh %[2]s %[3]s /orphan/$i &) & ); i=$((i+1)); done
wait $forks; sleep 2`, dir, host, port, forks, execs)
	// The real program: it starts a guard, which this package may not be.
	exe := filepath.Join(dir, "odi")
	if out, err := program.Command(t, "go", "build", "-o", exe, "../../hack/try/odi").CombinedOutput(); err != nil {
		t.Fatalf("building odi: %v: %s", err, out)
	}
	o := startCommand(t, nil, exe, "run", "-o", "json", "--", "/bin/bash", "-c", script)
	if code := o.waitFor(2 * time.Minute); code != 0 {
		t.Fatalf("exit code %d\n%s", code, o.err.String())
	}
	got := map[string]int{}
	paths := map[string]bool{}
	for line := range strings.Lines(o.out.String()) {
		td, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces([]byte(line))
		if err != nil {
			t.Fatalf("%v in line %s", err, line)
		}
		for _, rs := range td.ResourceSpans().All() {
			name, _ := rs.Resource().Attributes().Get(telemetry.ServiceName)
			for _, ss := range rs.ScopeSpans().All() {
				for _, s := range ss.Spans().All() {
					url, _ := s.Attributes().Get(telemetry.URLFull)
					path := strings.TrimPrefix(url.Str(), "http://x")
					kind, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
					paths[path] = true
					got[kind+" by "+name.Str()]++
				}
			}
		}
	}
	want := map[string]int{"fork by jobs": forks, "exec by once": execs, "orphan by once": execs}
	if fmt.Sprint(got) != fmt.Sprint(want) || len(paths) != forks+2*execs {
		t.Errorf("%v of %d paths, want %v", got, len(paths), want)
	}
	o.wantBooks(fmt.Sprintf("seen %[1]d = sent %[1]d + dropped 0", forks+2*execs))
}
