package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/odiglet/host"
)

const (
	// attachPatience is how long the command is held at its first instruction
	// until it is watched.
	attachPatience = 2 * time.Second
	// killPatience is how long the command may take after it was asked to end
	// because odi itself has to.
	killPatience = 5 * time.Second
)

// runCommand starts the command, passes signals on, and returns when it ends:
// nil for success, else an error that carries its exit code.
func (s *session) runCommand(ctx context.Context, signals <-chan os.Signal) error {
	cmd := exec.Command(s.command[0], s.command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.io.In, s.commandOutput(), s.out.err
	if s.caller != nil {
		fmt.Fprintf(s.io.Err, "running %s as %s, who called sudo (--as-root runs it as root)\n", s.command[0], s.caller.name)
	}
	if err := s.start(ctx, cmd); err != nil {
		return startError(s.command[0], err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	group := groupWatch{startCanary()}
	defer func() { group.end() }()
	for {
		select {
		case err := <-done:
			return commandError(err)
		case sig := <-signals:
			if !group.sharedWith(cmd.Process.Pid, sig) {
				s.pass(cmd, sig)
			}
		case <-s.out.gone:
			_ = stopCommand(cmd, done) // how it ends is odi's doing
			return nil
		case <-ctx.Done():
			return stopCommand(cmd, done)
		}
	}
}

// startError says why the command could not be started. The user repairs what is
// wrong with the command itself.
func startError(command string, err error) error {
	why := err
	var of *os.PathError
	var missing *exec.Error
	switch {
	case errors.As(err, &missing):
		why = missing.Err
	case errors.As(err, &of):
		why = of.Err
	}
	for _, users := range []error{exec.ErrNotFound, os.ErrNotExist, os.ErrPermission, syscall.ENOEXEC} {
		if errors.Is(why, users) {
			return exit.Usagef("odi run: starting %s: %w", command, why)
		}
	}
	return fmt.Errorf("starting %s: %w", command, err)
}

// commandOutput keeps the command's own output out of spans that a program reads.
func (s *session) commandOutput() io.Writer {
	if s.output == outputJSON {
		return s.out.err
	}
	return s.out.out
}

// pass hands a signal on that was sent to odi alone.
func (s *session) pass(cmd *exec.Cmd, sig os.Signal) {
	if err := cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.log.Error("passing a signal on", "signal", sig, "error", err)
	}
}

func stopCommand(cmd *exec.Cmd, done <-chan error) error {
	_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case err := <-done:
		return commandError(err)
	case <-time.After(killPatience):
		_ = cmd.Process.Kill()
		return commandError(<-done)
	}
}

// commandError turns the end of the command into odi's exit code.
func commandError(err error) error {
	var ended *exec.ExitError
	if !errors.As(err, &ended) {
		return err
	}
	status, ok := ended.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return exit.Status(128 + int(status.Signal()))
	}
	return exit.Status(ended.ExitCode())
}

// start starts the command stopped at its first instruction, so that none of its
// requests is missed, waits until it is watched, and lets it go.
func (s *session) start(ctx context.Context, cmd *exec.Cmd) error {
	started := make(chan error, 1)
	go func() {
		// A tracee belongs to the thread that started it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
		s.caller.become(cmd, cmd.SysProcAttr)
		if err := cmd.Start(); err != nil {
			started <- err
			return
		}
		pid := cmd.Process.Pid
		var status syscall.WaitStatus
		if _, err := syscall.Wait4(pid, &status, 0, nil); err != nil {
			started <- fmt.Errorf("waiting for its first instruction: %w", err)
			return
		}
		s.awaitAttached(ctx, pid)
		if err := syscall.PtraceDetach(pid); err != nil {
			started <- fmt.Errorf("letting it go: %w", err)
			return
		}
		started <- nil
	}()
	return <-started
}

// awaitAttached selects a process and waits until the engine watches it.
func (s *session) awaitAttached(ctx context.Context, pid int) {
	p, err := host.Read(pid)
	if err != nil {
		s.log.Error("reading the command", "error", err)
		return
	}
	s.selector.Choose(p)
	s.odiglet.Manager().Reselect()
	for end := time.Now().Add(attachPatience); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(time.Millisecond) {
		if s.odiglet.Manager().Attached(pid) {
			return
		}
	}
	s.log.Warn("the command is not watched from its start", "pid", pid)
}
