package attach

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/procfs"
	"github.com/odi-dev/odi/odiglet/process"
)

func TestChildrenOfTargets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(process.Process{PID: 10, Start: 1, Exe: "/bin/cart"})
		w.wanted["/bin/cart"] = true
		m := w.run(t)

		w.fork(process.Process{PID: 20, Parent: 10, Start: 2, Exe: "/bin/cart"})
		synctest.Wait()
		if got := serviceOf(m, 20); got != "cart" {
			t.Errorf("the origin of a child is %q", got)
		}
		w.exec(process.Process{PID: 20, Parent: 10, Start: 2, Exe: "/bin/helper"}, "")
		wantTargets(t, w, 10, 20)
		if got := serviceOf(m, 20); got != "helper" {
			t.Errorf("the origin of a child with a program of its own is %q", got)
		}
		before := w.added
		time.Sleep(2 * settle)
		wantTargets(t, w, 10, 20)
		if w.added != before+1 {
			t.Errorf("a child that stays was added %d times", w.added-before)
		}
	})
}

// TestShortLives names processes that nobody can read any more, whatever has
// become of their parents.
func TestShortLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(process.Process{PID: 10, Start: 1, Exe: "/bin/cart"})
		w.wanted["/bin/cart"] = true
		m := w.run(t)
		added := w.added
		for i, tc := range []struct{ exe, want string }{{"", "cart"}, {"/usr/bin/curl", "curl"}} {
			child, grandchild := 20+2*i, 21+2*i
			w.fork(process.Process{PID: child, Parent: 10, Start: 2, Exe: "/bin/cart"})
			w.fork(process.Process{PID: grandchild, Parent: child, Start: 3, Exe: "/bin/cart"})
			w.end(child)
			if tc.exe != "" {
				w.exec(process.Process{PID: grandchild, Parent: 1, Start: 3, Exe: tc.exe}, "")
			}
			w.end(grandchild)
			synctest.Wait()
			time.Sleep(settle / 2)
			if got := serviceOf(m, uint32(grandchild)); got != tc.want {
				t.Errorf("%s: the origin of one that ended at once is %q, want %q", tc.exe, got, tc.want)
			}
		}
		wantTargets(t, w, 10)
		if w.added != added {
			t.Errorf("%d processes were added that had ended", w.added-added)
		}
		time.Sleep(afterlife + time.Second)
		if n := len(m.family.lives); n != 1 {
			t.Errorf("%d lives are kept, want that of the one who lives", n)
		}
	})
}

// TestAHangingDetectionHoldsNobody has one process whose files do not answer:
// the others are attached at once, and it is, too, without knowing what it runs.
func TestAHangingDetectionHoldsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(process.Process{PID: 10, Start: 1, Exe: "/bin/cart"})
		w.wanted["/bin/cart"], w.hangs = true, 10
		m := w.run(t)
		wantTargets(t, w)
		for pid := 11; pid < 40; pid++ {
			w.start(process.Process{PID: pid, Start: 2, Exe: "/bin/cart"})
			synctest.Wait()
			if !m.Attached(pid) {
				t.Fatalf("process %d waits for another", pid)
			}
		}
		time.Sleep(patience + tick)
		synctest.Wait()
		if !m.Attached(10) || w.targets[10].Propagate {
			t.Errorf("target %+v; want it attached, and its requests as they are", w.targets[10])
		}
		time.Sleep(6 * time.Second)
		synctest.Wait()
		if diff := cmp.Diff(map[string]uint64{"detection_hangs": 1}, m.Failures()); diff != "" {
			t.Errorf("failures (-want +got):\n%s", diff)
		}
	})
}

// TestProgramsAreNamedByEvents takes from an exec what names a process on a node:
// its container, by the cgroup, and the variables of its service.
func TestProgramsAreNamedByEvents(t *testing.T) {
	const id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	const pod = "0e0a9d7c-9d1f-4b0e-8d5c-2f3a4b5c6d7e"
	inPod := "/kubepods.slice/kubepods-pod" + "0e0a9d7c_9d1f_4b0e_8d5c_2f3a4b5c6d7e" + ".slice/cri-containerd-" + id + ".scope"
	parent := life{
		process: process.Process{PID: 10, Start: 1, Exe: "/bin/sh", Container: procfs.Container{ID: "of-the-parent"}},
		env:     map[string]string{"OTEL_SERVICE_NAME": "parent"},
	}
	for name, tc := range map[string]struct {
		program   probe.Program
		container procfs.Container
		env       map[string]string
	}{
		"in a container": {
			program:   probe.Program{Cgroup: inPod, Environ: []byte("SECRET=1\x00OTEL_SERVICE_NAME=job\x00")},
			container: procfs.Container{ID: id, PodUID: pod},
			env:       map[string]string{"OTEL_SERVICE_NAME": "job"},
		},
		"without cgroup v2 it is where its parent is": {
			program:   probe.Program{Cgroup: ""},
			container: procfs.Container{ID: "of-the-parent"},
			env:       map[string]string{},
		},
		"a variable that was cut off may be the parent's": {
			program:   probe.Program{Cgroup: inPod, Environ: []byte("PATH=/bin"), Cut: true},
			container: procfs.Container{ID: id, PodUID: pod},
			env:       map[string]string{"OTEL_SERVICE_NAME": "parent"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFamily()
			f.know(parent)
			f.take(probe.Process{Kind: probe.ProcessFork, PID: 20, Parent: 10, Start: 2, Target: true}, time.Now())
			tc.program.Name, tc.program.Args = "job", []string{"./job", "-x"}
			f.take(probe.Process{Kind: probe.ProcessExec, PID: 20, Parent: 10, Start: 2, Target: true, Program: &tc.program}, time.Now())
			l, ok := f.find(20)
			want := process.Process{PID: 20, Parent: 10, Start: 2, Exe: "job", Args: []string{"./job", "-x"}, Container: tc.container}
			if diff := cmp.Diff(want, l.process); !ok || diff != "" {
				t.Errorf("process (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.env, l.env); diff != "" {
				t.Errorf("environment (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAPidThatIsUsedAgain keeps two processes of one pid apart.
func TestAPidThatIsUsedAgain(t *testing.T) {
	f := newFamily()
	now := time.Now()
	f.know(life{process: process.Process{PID: 10, Start: 1, Exe: "/bin/old"}})
	f.take(probe.Process{Kind: probe.ProcessExit, PID: 10, Start: 7}, now) // of another, whose start was missed
	if l, _ := f.find(10); !l.ended.IsZero() {
		t.Error("the end of another process ended this one")
	}
	f.take(probe.Process{Kind: probe.ProcessExit, PID: 10, Start: 1}, now)
	f.know(life{process: process.Process{PID: 20, Start: 2, Exe: "/bin/parent"}, seq: f.now()})
	f.take(probe.Process{Kind: probe.ProcessFork, PID: 10, Parent: 20, Start: 9, Target: true}, now)
	f.forget(now.Add(2 * afterlife))
	if l, ok := f.find(10); !ok || l.process.Exe != "/bin/parent" || l.process.Start != 9 {
		t.Errorf("the new process of the pid is %+v", l.process)
	}
}
