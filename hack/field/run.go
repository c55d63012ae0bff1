package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// outcome of a case.
type outcome string

const (
	passed  outcome = "PASS"
	failed  outcome = "FAIL"
	skipped outcome = "SKIP"
)

// result is what became of a case.
type result struct {
	outcome outcome
	took    time.Duration
	// figure is what was measured, or why the case failed or was skipped.
	figure string
	// gist is what failed tests have said; empty: the end of said tells.
	gist []string
	// said is all that was printed.
	said []byte
}

// patience bounds a case. The longest installs a machine and runs all live tests there.
const patience = 90 * time.Minute

// run runs one case.
func (c fieldCase) run(ctx context.Context) result {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var r result
	if c.pkg != "" {
		said, err := execute(ctx, c.testCommand())
		r = c.judgeTests(said, err)
	} else {
		said, err := execute(ctx, c.command)
		r = c.judgeCommand(said, err)
	}
	r.took = time.Since(began)
	return r
}

// testCommand is the command line of a case of Go tests.
func (c fieldCase) testCommand() []string {
	args := []string{"go", "test", "-json", "-count=1", "-vet=off", "-timeout=30m", "-run", "^(" + strings.Join(c.tests, "|") + ")$"}
	if c.tags != "" {
		args = append(args, "-tags", c.tags)
	}
	return append(args, "./"+c.pkg)
}

// execute runs a command with all that it starts in a group of its own, and ends all
// of it when the context ends: tests let their programs go then.
func execute(ctx context.Context, args []string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	// A test that lacks something builds it, or fails; it does not skip.
	cmd.Env = append(os.Environ(), "CI=true", "CGO_ENABLED=0")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = time.Minute
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err := cmd.Run()
	if ctx.Err() != nil {
		err = errors.Join(ctx.Err(), err)
	}
	return said.Bytes(), err
}

// judgeCommand takes the exit code and the figures of a proof.
func (c fieldCase) judgeCommand(said []byte, err error) result {
	r := result{outcome: passed, said: said}
	var figures, missing []string
	for _, pattern := range c.figures {
		if found := figure(pattern, said); found != "" {
			figures = append(figures, found)
		} else {
			missing = append(missing, pattern)
		}
	}
	r.figure = strings.Join(figures, ", ")
	switch {
	case err != nil:
		r.outcome = failed
		r.figure = strings.Join(append([]string{reason(err)}, figures...), ", ")
	case len(missing) > 0:
		r.outcome, r.figure = failed, "it ended well, but printed nothing like "+strings.Join(missing, " or ")
	}
	return r
}

// figure is the last match of a pattern: its groups, or all of it.
func figure(pattern string, said []byte) string {
	all := regexp.MustCompile(pattern).FindAllSubmatch(said, -1)
	if len(all) == 0 {
		return ""
	}
	last := all[len(all)-1]
	if len(last) == 1 {
		return string(last[0])
	}
	return string(bytes.Join(last[1:], []byte(" ")))
}

func reason(err error) string {
	exit := new(exec.ExitError)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "not done after " + patience.String()
	case errors.Is(err, context.Canceled):
		return "interrupted"
	case errors.As(err, &exit):
		return exit.Error()
	}
	return err.Error()
}

// keep writes what a failed case has printed.
func keep(dir string, c fieldCase, said []byte) (string, error) {
	word := func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}
	name := filepath.Join(dir, fmt.Sprintf("%d-%.60s.log", c.kind, strings.Map(word, strings.ToLower(c.proves))))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	return name, os.WriteFile(name, said, 0o600)
}
