package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	// idleTargets is how many targets are left alone to see what odi does meanwhile.
	idleTargets = 300
	// trimmed is when odi has given back what only starting needed.
	trimmed = 3 * time.Second
	// settled is after the last look at a new process and the last trim of memory.
	settled = 20 * time.Second
	// attachMax bounds the waiting.
	attachMax = 60 * time.Second
	// execsPerRound take about a second.
	execsPerRound = 1000
)

// sleepers are idle processes of a program of their own, one by file name.
type sleepers struct {
	exe string
	all []*exec.Cmd
}

func startSleepers(n int) (*sleepers, error) {
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "odi-bench")
	if err != nil {
		return nil, err
	}
	s := &sleepers{exe: filepath.Join(dir, "sleeper")}
	if err := copyFile(sleep, s.exe); err != nil {
		return nil, err
	}
	for range n {
		cmd := exec.Command(s.exe, "600")
		if err := cmd.Start(); err != nil {
			s.stop()
			return nil, err
		}
		s.all = append(s.all, cmd)
	}
	return s, nil
}

func (s *sleepers) stop() {
	for _, cmd := range s.all {
		_ = cmd.Process.Kill()
	}
	for _, cmd := range s.all {
		_ = cmd.Wait()
	}
	_ = os.RemoveAll(filepath.Dir(s.exe))
}

// attached is one run of odi with idle targets.
type attached struct {
	took, cpu, stop time.Duration
	mib, idle       float64 // idle: percent of a core
	maps            float64 // MiB in the kernel
}

// targets measures how odi takes on many processes, keeps them, and lets them go.
// What it takes with one is not counted: that is its start.
func (b *bench) targets() error {
	one, err := b.attachMany(1)
	if err != nil {
		return err
	}
	fmt.Printf("# odi with one target: attached after %.2f s, %d ms of CPU, %.1f MiB\n", one.took.Seconds(), one.cpu.Milliseconds(), one.mib)
	for _, n := range []int{100, idleTargets, 1000} {
		a, err := b.attachMany(n)
		if err != nil {
			return err
		}
		named := func(name string) string { return fmt.Sprintf("%s_%d", name, n) }
		b.add(figure{Name: named("attach_s"), Unit: "s", Limit: 5, Value: max(a.took-one.took, 0).Seconds()})
		b.add(figure{Name: named("attach_cpu_ms_per_target"), Unit: "ms", Limit: 3, Value: (a.cpu - one.cpu).Seconds() * 1000 / float64(n-1)})
		b.add(figure{Name: named("rss_mib"), Unit: "MiB", Limit: 80, Value: a.mib})
		b.add(figure{Name: named("stop_s"), Unit: "s", Limit: 1, Value: a.stop.Seconds()})
		if n == idleTargets {
			b.add(figure{Name: named("idle_percent"), Unit: "%", Limit: 0.3, Value: a.idle})
		}
	}
	return nil
}

func (b *bench) attachMany(n int) (attached, error) {
	s, err := startSleepers(n)
	if err != nil {
		return attached{}, err
	}
	defer s.stop()
	time.Sleep(time.Second) // all have mapped their libraries
	began := time.Now()
	odi, err := b.follow(s.exe)
	if err != nil {
		return attached{}, err
	}
	if err := odi.await(func() bool { return odi.traced() >= n }); err != nil {
		return attached{}, fmt.Errorf("attaching to %d processes: %w", n, err)
	}
	a := attached{took: time.Since(began)}
	if a.cpu, err = cpu(odi.pid()); err != nil {
		return attached{}, err
	}
	time.Sleep(trimmed)
	if n == idleTargets {
		time.Sleep(settled)
		if a.idle, err = idleShare(odi.pid()); err != nil {
			return attached{}, err
		}
	}
	if a.mib, err = residentMiB(odi.pid()); err != nil {
		return attached{}, err
	}
	objects, err := objectsOf(odi.pid())
	if err != nil {
		return attached{}, err
	}
	a.maps = objects.mapBytes / (1 << 20)
	_, a.stop, err = odi.end()
	return a, err
}

// await waits until something is true of what odi has said.
func (r *odiRun) await(done func() bool) error {
	for end := time.Now().Add(attachMax); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if done() {
			return nil
		}
	}
	_, _, _ = r.end()
	return fmt.Errorf("not done after %s: %s", attachMax, r.err.String())
}

// traced is how many processes odi has said it traces; it says again what changes.
func (r *odiRun) traced() int {
	pids := make(map[string]bool)
	for line := range strings.Lines(r.err.String()) {
		if _, pid, found := strings.Cut(line, "(pid "); found && strings.HasPrefix(line, "tracing ") {
			pids[strings.TrimRight(strings.Fields(pid)[0], ",)")] = true
		}
	}
	return len(pids)
}

// follow starts odi on every process of an executable.
func (b *bench) follow(exe string) (*odiRun, error) {
	odi := &odiRun{cmd: exec.Command(b.odi, "run", "--exe", exe, "-o", "none")}
	odi.cmd.Stderr, odi.cmd.Stdout = &odi.err, &odi.out
	return odi, odi.cmd.Start()
}

// idleShare is the CPU that a process takes, in percent of a core. The window is as
// long as the longest pause between two looks at all processes.
func idleShare(pid int) (float64, error) {
	const window = time.Minute
	before, err := cpu(pid)
	if err != nil {
		return 0, err
	}
	time.Sleep(window)
	after, err := cpu(pid)
	return 100 * (after - before).Seconds() / window.Seconds(), err
}

// execs measures what programs cost that nobody has selected: odi, and whoever
// starts them. With and without odi take turns.
func (b *bench) execs() error {
	program, err := exec.LookPath("true")
	if err != nil {
		return err
	}
	starter, _, err := spawn("starter", "-1", program)
	if err != nil {
		return err
	}
	defer starter.stop()
	if _, err := starter.order(execsPerRound); err != nil { // warm up
		return err
	}
	var ms, ratio []float64
	for range rounds {
		without, err := starter.order(execsPerRound)
		if err != nil {
			return err
		}
		with, own, err := b.execsWatched(starter)
		if err != nil {
			return err
		}
		ms = append(ms, own.Seconds()*1000/execsPerRound)
		ratio = append(ratio, float64(with)/float64(without))
	}
	b.add(figure{Name: "exec_odi_cpu_ms", Unit: "ms", Limit: 0.05, Samples: ms})
	b.add(figure{Name: "exec_caller_cpu_ratio", Unit: "ratio", Limit: 1.03, Samples: ratio})
	return nil
}

// execsWatched has the programs started while odi looks for one of another name. It
// returns the CPU time of the starter with its programs, in nanoseconds, and that of odi.
func (b *bench) execsWatched(starter *process) (caller int64, own time.Duration, err error) {
	odi, err := b.follow("nobody-has-this-name")
	if err != nil {
		return 0, 0, err
	}
	if err := odi.await(func() bool { return strings.Contains(odi.err.String(), "waiting for") }); err != nil {
		return 0, 0, err
	}
	time.Sleep(trimmed)
	before, err := cpu(odi.pid())
	if err != nil {
		return 0, 0, err
	}
	caller, err = starter.order(execsPerRound)
	if err != nil {
		return 0, 0, err
	}
	after, err := cpu(odi.pid())
	if err != nil {
		return 0, 0, err
	}
	_, _, err = odi.end()
	return caller, after - before, err
}
