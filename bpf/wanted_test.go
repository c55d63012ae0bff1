package bpf_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/odi-dev/odi/bpf"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// told starts a program, waits for its end, and returns what was told of it.
func told(t *testing.T, events <-chan probe.Process, path string, args ...string) []probe.Process {
	t.Helper()
	cmd := exec.Cmd{Path: path, Args: args}
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	var all []probe.Process
	for patience := time.After(300 * time.Millisecond); ; {
		select {
		case p := <-events:
			if int(p.PID) == cmd.Process.Pid {
				all = append(all, p)
			}
		case <-patience:
			return all
		}
	}
}

func loadForEvents(t *testing.T) (*bpf.Engine, <-chan probe.Process) {
	t.Helper()
	needRoot(t)
	e, err := bpf.Load(bpf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() {
		cancel()
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	events := make(chan probe.Process, 1<<14) // of the whole machine
	e.Processes(ctx, func(p probe.Process) {
		select {
		case events <- p:
		default:
		}
	})
	return e, events
}

// TestWantedNames selects programs by name in every way that users may mean one.
func TestWantedNames(t *testing.T) {
	e, events := loadForEvents(t)
	if err := e.Want(probe.Wanted{Names: []string{"wanted-program", "/opt/some/where/by-path"}}); err != nil {
		t.Fatal(err)
	}
	shortLived := program.Need(t, "true")
	dir := t.TempDir()
	copied := func(name string) string {
		content, err := os.ReadFile(shortLived)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	wanted, other := copied("wanted-program"), copied("other")
	linked := filepath.Join(dir, "linked")
	if err := os.Symlink(wanted, linked); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		path string
		args []string
		want int
	}{
		"another program":                {path: other, args: []string{other}, want: 0},
		"its own name":                   {path: wanted, args: []string{"x"}, want: 1},
		"the name of a path":             {path: copied("by-path"), args: []string{"x"}, want: 1},
		"a link to it":                   {path: linked, args: []string{"x"}, want: 1},
		"called so":                      {path: other, args: []string{"wanted-program"}, want: 1},
		"called so with a path":          {path: other, args: []string{"/usr/bin/wanted-program", "-v"}, want: 1},
		"only the folder has the name":   {path: other, args: []string{"/opt/wanted-program/x"}, want: 0},
		"a longer name":                  {path: copied("wanted-programs"), args: []string{"x"}, want: 0},
		"a later argument":               {path: other, args: []string{"x", "wanted-program"}, want: 0},
		"too long to tell":               {path: other, args: []string{strings.Repeat("/long", 80) + "/x"}, want: 1},
		"no name to go by":               {path: other, args: []string{""}, want: 1},
		"a name of as many bytes as fit": {path: copied(strings.Repeat("n", 254)), args: []string{"x"}, want: 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := told(t, events, tc.path, tc.args...); len(got) != tc.want {
				t.Errorf("told of %v, want %d events", got, tc.want)
			}
		})
	}
}

// TestIgnoredCgroups spares the machine the programs of a cgroup that nobody has
// selected, until the selection changes.
func TestIgnoredCgroups(t *testing.T) {
	e, events := loadForEvents(t)
	shortLived := program.Need(t, "true")
	for _, when := range []string{"before anybody says what is wanted", "again"} {
		before := told(t, events, shortLived, "true")
		if len(before) != 2 || before[0].Kind != probe.ProcessExec || before[1].Kind != probe.ProcessExit {
			t.Fatalf("%s: told of %v, want a start and an end", when, before)
		}
		if before[0].Cgroup == 0 || before[0].Cgroup != before[1].Cgroup {
			t.Errorf("%s: its cgroup is %#x at the start and %#x at the end", when, before[0].Cgroup, before[1].Cgroup)
		}
		e.IgnoreCgroup(before[0].Cgroup + 1)
		if got := told(t, events, shortLived, "true"); len(got) != 2 {
			t.Errorf("%s: told of %v while another cgroup is ignored", when, got)
		}
		e.IgnoreCgroup(before[0].Cgroup)
		if got := told(t, events, shortLived, "true"); len(got) != 0 {
			t.Errorf("%s: told of %v while its cgroup is ignored", when, got)
		}
		if err := e.Want(probe.Wanted{Any: true}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTargetsAreAlwaysTold keeps the notices of targets, whatever is wanted.
func TestTargetsAreAlwaysTold(t *testing.T) {
	e, events := loadForEvents(t)
	if err := e.Want(probe.Wanted{}); err != nil {
		t.Fatal(err)
	}
	cmd := program.Command(t, "sh", "-c", "read x; exec sleep 0.1")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	if err := e.AddTarget(probe.Target{PID: uint32(cmd.Process.Pid), Children: true}); err != nil {
		t.Fatal(err)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	var kinds []probe.ProcessKind
	for patience := time.After(10 * time.Second); len(kinds) < 2; {
		select {
		case p := <-events:
			// That of the shell may be told of late, when it is a target already.
			again := p.Kind == probe.ProcessExec && slices.Contains(kinds, p.Kind)
			if int(p.PID) == cmd.Process.Pid && !again {
				kinds = append(kinds, p.Kind)
			}
		case <-patience:
			t.Fatalf("told of %v, want a start and an end", kinds)
		}
	}
	if kinds[0] != probe.ProcessExec || kinds[1] != probe.ProcessExit {
		t.Errorf("told of %v", kinds)
	}
}
