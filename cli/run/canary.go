package run

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// canaryName is argv[0] of the process.
const canaryName = "odi-canary"

// canaryPatience is how long a canary is given to die of a signal that its whole
// process group was sent: it is woken at the same time, on a busy machine.
const canaryPatience = 100 * time.Millisecond

// Canary is what a program that runs the command must call first thing. In the
// process that `odi run` starts as its canary, it waits for the end of that one and
// does not return; everywhere else it returns at once.
func Canary() {
	if len(os.Args) == 0 || os.Args[0] != canaryName {
		return
	}
	_, _ = io.Copy(io.Discard, os.Stdin) // ends with odi
	os.Exit(0)
}

// canary is a process of odi's own process group that dies of any signal. By its
// death odi tells a signal that all of the group were sent, the command among them
// (ctrl-c on a terminal, an init system's stop), from one that was meant for odi
// alone (kill), which is passed on. Nothing else tells: the sender of a signal is
// not known to a Go program. It is for one goroutine.
type canary struct {
	life *os.File
	died chan syscall.Signal
}

// startCanary returns nil where none can be had: then every signal is taken as
// meant for odi alone.
func startCanary() *canary {
	read, write, err := os.Pipe()
	if err != nil {
		return nil
	}
	defer read.Close()
	cmd := exec.Command("/proc/self/exe")
	cmd.Args, cmd.Env, cmd.Stdin = []string{canaryName}, []string{}, read
	if err := cmd.Start(); err != nil {
		_ = write.Close()
		return nil
	}
	c := &canary{life: write, died: make(chan syscall.Signal, 1)}
	go func() {
		err := cmd.Wait()
		var ended *exec.ExitError
		if errors.As(err, &ended) {
			if status, ok := ended.Sys().(syscall.WaitStatus); ok && status.Signaled() {
				c.died <- status.Signal()
			}
		}
		close(c.died)
	}()
	return c
}

// heard says whether the whole group was sent the signal. The canary is dead then.
func (c *canary) heard(sig os.Signal) bool {
	if c == nil {
		return false
	}
	select {
	case died := <-c.died:
		return died == sig
	case <-time.After(canaryPatience):
		return false
	}
}

// end lets it go.
func (c *canary) end() {
	if c != nil {
		_ = c.life.Close()
	}
}

// groupWatch tells which signals the command was sent together with odi.
type groupWatch struct{ canary *canary }

// sharedWith says whether a process has got the signal that odi has got. Processes
// that left odi's group have not.
func (g *groupWatch) sharedWith(pid int, sig os.Signal) bool {
	if group, err := syscall.Getpgid(pid); err != nil || group != syscall.Getpgrp() {
		return false
	}
	if !g.canary.heard(sig) {
		return false
	}
	g.end()
	g.canary = startCanary() // for the next one
	return true
}

func (g *groupWatch) end() { g.canary.end() }
