package agenttest

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/odi-dev/odi/hack/cluster/cache"
	"github.com/odi-dev/odi/hack/images/build"
)

// Tree is the folder that a build script of the repository fills, from the cache if nothing has changed.
func Tree(t testing.TB, script string) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	store, err := cache.Default()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := build.Builder{Root: root, Cache: store}.Tree(t.Context(), script)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// Process is an application that a test started.
type Process struct {
	Port string // That it said it listens at; empty until Listening.

	cmd    *exec.Cmd
	mu     sync.Mutex
	stdout bytes.Buffer
	stderr bytes.Buffer
	ports  chan string
	ended  chan struct{}
}

// End is how a process ended.
type End struct {
	Code   int            // -1 where a signal ended it.
	Signal syscall.Signal // 0 where none did.
}

// Start starts an application that prints "listening PORT"; the test ends it if it still runs then, with all that
// it started.
func Start(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	p := &Process{cmd: cmd, ports: make(chan string, 64), ended: make(chan struct{})}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = locked{p, &p.stderr}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go p.read(out)
	t.Cleanup(func() {
		select {
		case <-p.ended:
		default:
			// A child that outlives it holds its output open: that is waited for.
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // It has ended meanwhile, or does now.
			<-p.ended
		}
	})
	return p
}

type locked struct {
	p  *Process
	to *bytes.Buffer
}

func (l locked) Write(content []byte) (int, error) {
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	return l.to.Write(content)
}

func (p *Process) read(out io.Reader) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		p.mu.Lock()
		p.stdout.WriteString(lines.Text() + "\n")
		p.mu.Unlock()
		if port, ok := strings.CutPrefix(lines.Text(), "listening "); ok {
			p.ports <- port
		}
	}
	_ = p.cmd.Wait() // ProcessState tells.
	close(p.ended)
}

// Listening waits until the application listens.
func (p *Process) Listening(t testing.TB) *Process {
	t.Helper()
	select {
	case p.Port = <-p.ports:
	case <-p.ended:
		t.Fatalf("the application ended with %v before it listened:\n%s%s", p.cmd.ProcessState, p.Stdout(), p.Stderr())
	case <-time.After(4 * time.Minute): // JDK 8 with its agent takes 10 s of a core, and others may want that, too.
		t.Fatalf("the application does not listen:\n%s%s", p.Stdout(), p.Stderr())
	}
	return p
}

// Stdout is what it printed until now, without the line about its port.
func (p *Process) Stdout() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var kept strings.Builder
	for line := range strings.Lines(p.stdout.String()) {
		if !strings.HasPrefix(line, "listening ") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// Stderr is what it wrote there until now.
func (p *Process) Stderr() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stderr.String()
}

// Signal sends a signal and waits for the end; Await waits alone.
func (p *Process) Signal(t testing.TB, signal syscall.Signal) (End, time.Duration) {
	t.Helper()
	from := time.Now()
	if err := p.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	return p.Await(t), time.Since(from)
}

// Await waits for the end of the process.
func (p *Process) Await(t testing.TB) End {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(30 * time.Second):
		t.Fatalf("the process goes on:\n%s%s", p.Stdout(), p.Stderr())
	}
	status := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return End{Code: -1, Signal: status.Signal()}
	}
	return End{Code: status.ExitStatus()}
}

// Pid is the process's.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Usage is the processor time that the process took, once it has ended.
func (p *Process) Usage() time.Duration {
	return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
}

// client asks applications, through no proxy.
var client = &http.Client{Transport: &http.Transport{}, Timeout: 20 * time.Second}

// Get asks the application for a path, with a traceparent unless it is empty.
func (p *Process) Get(t testing.TB, path, traceparent string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:"+p.Port+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if traceparent != "" {
		request.Header.Set("Traceparent", traceparent)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatalf("asking the application: %v\n%s", err, p.Stderr())
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// State is what the process says about its agent, as the odiglet reads it: a mapped or an open file whose
// folder is called state; empty where it says nothing.
func State(t testing.TB, pid int) string {
	t.Helper()
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	maps, err := os.ReadFile(filepath.Join(proc, "maps"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(maps)) {
		if _, state, ok := strings.Cut(strings.TrimSpace(line), "/state/"); ok {
			return state
		}
	}
	fds, err := os.ReadDir(filepath.Join(proc, "fd"))
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		target, err := os.Readlink(filepath.Join(proc, "fd", fd.Name()))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if _, state, ok := strings.Cut(target, "/state/"); ok {
			return state
		}
	}
	return ""
}
