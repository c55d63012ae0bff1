package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// run is a run of many targets.
type run struct {
	// dir is the module's.
	dir string
	// each is how long a target runs, atOnce how many do at a time, least how many there must be.
	each   time.Duration
	atOnce int
	least  int
	out    io.Writer
}

// target is one that is built.
type target struct {
	fuzzed
	name, binary, cache string
}

// grace is what a target has beyond its time: to begin, to make a failing input smaller, and to end.
const grace = 3 * time.Minute

// all builds the packages one after another, and meanwhile runs the targets of those that are built.
func (r run) all(ctx context.Context, packages []fuzzed) error {
	work, err := os.MkdirTemp("", "odi-fuzz-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }() // what is left there is in the way of nobody
	var (
		built   = make(chan target)
		results = make(chan result)
		workers sync.WaitGroup
		unbuilt error
	)
	go func() {
		defer close(built)
		unbuilt = r.build(ctx, work, packages, built)
	}()
	for range r.atOnce {
		workers.Go(func() {
			for t := range built {
				results <- r.fuzz(ctx, t)
			}
		})
	}
	go func() {
		workers.Wait()
		close(results)
	}()
	passed, failed := 0, 0
	for one := range results {
		fmt.Fprint(r.out, one.text())
		if one.err == nil {
			passed++
		} else {
			failed++
		}
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case failed > 0:
		return errors.Join(fmt.Errorf("%d of %d targets failed", failed, failed+passed), unbuilt)
	case unbuilt == nil && passed == 0:
		return errors.New("no target is chosen")
	}
	return unbuilt
}

// build compiles each package for fuzzing and passes on its targets. What does not compile is said at the end.
func (r run) build(ctx context.Context, work string, packages []fuzzed, built chan<- target) error {
	var errs []error
	for i, p := range packages {
		binary := filepath.Join(work, fmt.Sprint(i, ".test"))
		cmd := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-fuzz=.", "-o", binary, ".")
		cmd.Dir, cmd.Stdout, cmd.Stderr = p.dir, os.Stderr, os.Stderr
		if err := cmd.Run(); err != nil {
			errs = append(errs, fmt.Errorf("building %s: %w", p.path, err))
			continue
		}
		for _, name := range p.targets {
			built <- target{fuzzed: p, name: name, binary: binary, cache: filepath.Join(work, fmt.Sprint(i, ".cache"))}
		}
	}
	return errors.Join(errs...)
}

// fuzz runs a target in the folder of its package, as `go test` does, with all that it starts in a group of its own.
func (r run) fuzz(ctx context.Context, t target) result {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, r.each+grace)
	defer cancel()
	cmd := exec.CommandContext(ctx, t.binary, "-test.run=^$", "-test.fuzz=^"+t.name+"$", "-test.fuzztime="+r.each.String(),
		"-test.fuzzcachedir="+t.cache, "-test.parallel=1", "-test.v", "-test.paniconexit0")
	cmd.Dir = t.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	said, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		err = errors.Join(ctx.Err(), err)
	}
	return judge(t, said, err, time.Since(began))
}
