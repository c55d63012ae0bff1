package bpf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/testkit"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// awaitTarget starts a shell that runs the script once its standard input says so,
// and makes it a target.
func awaitTarget(t *testing.T, e *Engine, script string, env ...string) (cmd *exec.Cmd, begin io.WriteCloser) {
	t.Helper()
	cmd = program.Command(t, "sh", "-c", "read go; "+script)
	cmd.Env = append(cmd.Env, env...)
	begin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	time.Sleep(50 * time.Millisecond) // until the shell itself runs
	if err := e.AddTarget(probe.Target{PID: uint32(cmd.Process.Pid), Propagate: true, Children: true}); err != nil {
		t.Fatal(err)
	}
	return cmd, begin
}

func finish(t *testing.T, cmd *exec.Cmd, begin io.WriteCloser) {
	t.Helper()
	if _, err := io.WriteString(begin, "\n"); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
}

func load(t *testing.T) *Engine {
	t.Helper()
	testkit.NeedRoot(t)
	e, err := Load(Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// TestTargetsThatEnd adds processes while they end: none stays in a table.
func TestTargetsThatEnd(t *testing.T) {
	e := load(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var adding sync.WaitGroup
	tried := 0
	if !e.Processes(ctx, func(p probe.Process) {
		if p.Kind != probe.ProcessExec || !p.Target {
			return
		}
		tried++
		adding.Go(func() {
			for range 5 {
				_ = e.AddTarget(probe.Target{PID: p.PID, Propagate: true, Children: true}) // it may have ended
			}
		})
	}) {
		t.Fatal("this kernel has no process events")
	}
	cmd, begin := awaitTarget(t, e, "i=0; while [ $i -lt 300 ]; do i=$((i+1)); /bin/true; done")
	finish(t, cmd, begin)
	testkit.Eventually(t, 10*time.Second, "every program was told of", func() bool {
		e.notices.catchUp()
		e.notices.mu.Lock()
		defer e.notices.mu.Unlock()
		return tried >= 300
	})
	cancel()
	adding.Wait()
	var tgid uint32
	var v targetValue
	for entries := e.maps["targets"].Iterate(); entries.Next(&tgid, &v); {
		t.Errorf("process %d stays a target of the kernel's", v.PID)
	}
	if dead := e.sweep(); dead != 0 || len(e.Targets()) != 0 {
		t.Errorf("%d dead targets, %v", dead, e.Targets())
	}
}

// TestSweep takes out what should not be there.
func TestSweep(t *testing.T) {
	e := load(t)
	cmd, begin := awaitTarget(t, e, "true")
	ghost := targetValue{PID: 1 << 29}
	if err := e.maps["targets"].Put(uint32(1<<29), &ghost); err != nil {
		t.Fatal(err)
	}
	if dead := e.sweep(); dead != 1 {
		t.Errorf("%d dead targets, want 1", dead)
	}
	if all := e.Targets(); len(all) != 1 || all[0].PID != uint32(cmd.Process.Pid) {
		t.Errorf("targets %v, want the one who lives", all)
	}
	finish(t, cmd, begin)
}

// moveToGroup puts a process into a cgroup like that of a container, and returns
// the end of its path.
func moveToGroup(t *testing.T, pid int) string {
	t.Helper()
	root, err := cgroupPath("")
	if err != nil {
		t.Fatal(err)
	}
	pod := fmt.Sprintf("/odi-test-%d.slice", os.Getpid())
	container := pod + "/cri-containerd-" + strings.Repeat("0123456789abcdef", 4) + ".scope"
	for _, dir := range []string{pod, container} {
		if err := os.Mkdir(root+dir, 0o755); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Remove(root + dir) })
	}
	if err := os.WriteFile(root+container+"/cgroup.procs", []byte(fmt.Sprint(pid)), 0); err != nil {
		t.Fatal(err)
	}
	return container
}

// startOf reads field 22 of /proc/PID/stat; the command has no blank.
func startOf(t *testing.T, pid int) uint64 {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	start, err := strconv.ParseUint(strings.Fields(string(stat))[21], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return start
}

// TestProgramsOfTargets tells what a program is before it runs.
func TestProgramsOfTargets(t *testing.T) {
	e := load(t)
	var mu sync.Mutex
	var told []probe.Process
	cmd, begin := awaitTarget(t, e, "exec /bin/sleep 0.2 ''", "MARK=yes")
	pid := cmd.Process.Pid
	e.Processes(t.Context(), func(p probe.Process) {
		mu.Lock()
		defer mu.Unlock()
		if p.PID == uint32(pid) {
			told = append(told, p)
		}
	})
	start := startOf(t, pid)
	group := moveToGroup(t, pid)
	if _, err := io.WriteString(begin, "\n"); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // sleep objects to its second argument
	testkit.Eventually(t, 5*time.Second, "two events", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(told) == 2
	})
	got := told[0]
	if got.Program == nil {
		t.Fatalf("told %+v", got)
	}
	if diff := cmp.Diff([]string{"/bin/sleep", "0.2", ""}, got.Program.Args); diff != "" {
		t.Errorf("arguments (-want +got):\n%s", diff)
	}
	if got.Program.Name != "sleep" || got.Start != start || got.Parent != uint32(os.Getpid()) {
		t.Errorf("told %+v %+v; it started at %d, parent %d", got, got.Program, start, os.Getpid())
	}
	if !strings.Contains("\x00"+string(got.Program.Environ), "\x00MARK=yes\x00") {
		t.Errorf("the environment is %q", got.Program.Environ)
	}
	if !strings.HasSuffix(got.Program.Cgroup, group) {
		t.Errorf("cgroup %q, want %q", got.Program.Cgroup, group)
	}
	if told[1].Kind != probe.ProcessExit || !told[1].Target || told[1].Start != start {
		t.Errorf("then told %+v", told[1])
	}
}

// TestCgroupsBesideOurs serves a target whose cgroup is not below the one that
// this process knows, as in a pod whose containers share their processes.
func TestCgroupsBesideOurs(t *testing.T) {
	e := load(t)
	cmd := program.Command(t, "sleep", "30")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	pid := uint32(cmd.Process.Pid)
	group := moveToGroup(t, cmd.Process.Pid)
	who, err := e.finder.find(pid)
	if err != nil {
		t.Fatal(err)
	}
	if !e.connects.serves(who) {
		t.Fatalf("cgroups %v of a target are not below %v", who.groups, e.connects.links)
	}
	// From here on, only a cgroup beside the target's is served.
	root, err := cgroupPath("")
	if err != nil {
		t.Fatal(err)
	}
	beside := root + group + "-beside"
	if err := os.Mkdir(beside, 0o755); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(beside)
	if err := errors.Join(e.connects.close(), e.connects.attach(e.progs["odi_connected"], beside)); err != nil {
		t.Fatal(err)
	}
	if e.connects.serves(who) {
		t.Fatal("a cgroup beside the target's serves it")
	}
	if err := e.AddTarget(probe.Target{PID: pid, Propagate: true}); err != nil {
		t.Fatal(err)
	}
	if !e.connects.serves(who) {
		t.Error("the target is not served")
	}
}
