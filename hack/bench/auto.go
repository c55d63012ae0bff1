package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/odi-dev/odi/hack/cluster/cache"
)

const autoName = "`go.opentelemetry.io/auto`"

// autoStarts bounds the time until its first span comes.
const autoStarts = 20 * time.Second

// buildAuto makes the command of go.opentelemetry.io/auto, whose module has the sources of its programs, not the
// programs, unless the cache has it.
func buildAuto() (string, error) {
	root, err := cloneRoot()
	if err != nil {
		return "", err
	}
	store, err := cache.Default()
	if err != nil {
		return "", err
	}
	own := filepath.Join(root, "hack/bench/auto")
	inputs, err := cache.Files(own)
	if err != nil {
		return "", err
	}
	dir, err := store.Make("bench/auto", cache.Key(inputs...), func(dir string) error {
		ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
		defer cancel()
		out, err := exec.CommandContext(ctx, filepath.Join(own, "make.sh"), dir).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, lastOf(out))
		}
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("building it: %w", err)
	}
	return filepath.Join(dir, "auto"), nil
}

func lastOf(out []byte) string { return string(out[max(0, len(out)-400):]) }

// wrkBesideAuto measures while it instruments the server.
func (b *bench) wrkBesideAuto(m *muxed, base asked, to *way) error {
	exe, err := buildAuto()
	if err != nil {
		return err
	}
	received, err := newSink()
	if err != nil {
		return err
	}
	defer received.server.Close()
	var said output
	cmd := exec.Command(exe, "-target-pid", strconv.Itoa(m.server.pid()))
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS} // It mounts bpffs and leaves it.
	cmd.Env = append(os.Environ(), "OTEL_SERVICE_NAME=mux", "OTEL_TRACES_EXPORTER=otlp", "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf", "OTEL_EXPORTER_OTLP_ENDPOINT="+received.url)
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait(); close(ended) }()
	defer m.letGo(cmd, ended)
	if err := m.untilSpan(received, ended); err != nil {
		return fmt.Errorf("%w: %s", err, lastOf([]byte(said.String())))
	}
	came := received.spans.Load()
	with, err := m.wrk(b.window, cmd.Process.Pid)
	if err != nil {
		return err
	}
	received.settle()
	to.put(with, base)
	to.lost += max(0, with.requests-float64(received.spans.Load()-came))
	return nil
}

// letGo ends it as a user does. What it pins below the target's number is in the way of the next one if it had to be
// killed.
func (m *muxed) letGo(cmd *exec.Cmd, ended <-chan error) {
	_ = cmd.Process.Signal(os.Interrupt) // It may have ended.
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		_ = cmd.Process.Kill()
		<-ended
	}
	_ = os.RemoveAll(filepath.Join("/sys/fs/bpf", strconv.Itoa(m.server.pid()))) // mostly gone
}

// untilSpan asks the server now and then until a span has come.
func (m *muxed) untilSpan(received *sink, ended <-chan error) error {
	for deadline := time.Now().Add(autoStarts); time.Now().Before(deadline); {
		if out, err := exec.Command("curl", "-sf", m.url).CombinedOutput(); err != nil {
			return fmt.Errorf("asking the server: %w: %s", err, out)
		}
		select {
		case err := <-ended:
			return errors.Join(errors.New("it has ended"), err)
		case <-time.After(50 * time.Millisecond):
		}
		if received.spans.Load() > 0 {
			received.settle()
			return nil
		}
	}
	return fmt.Errorf("no span came in %s", autoStarts)
}

// exported is longer than SDKs keep a span that could be sent: 5 s.
const exported = 6 * time.Second

// settle returns when no span has come for a while.
func (s *sink) settle() {
	for last := int64(-1); last != s.spans.Load(); time.Sleep(exported) {
		last = s.spans.Load()
	}
}
