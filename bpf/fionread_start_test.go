package bpf_test

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// answering counts the requests that come without a traceparent.
func answering(t *testing.T) (addr string, all, bare *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	all, bare = new(atomic.Int64), new(atomic.Int64)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		all.Add(1)
		if r.Header.Get("traceparent") == "" {
			bare.Add(1)
		}
		_, _ = io.WriteString(w, strings.Repeat("x", 1000))
	})}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	return l.Addr().String(), all, bare
}

// checkAnswers reads what ask.py printed: all but the first number of each process
// are those of bytes that wait.
func checkAnswers(t *testing.T, out string, processes int) {
	t.Helper()
	numbers := strings.Fields(out)
	if len(numbers) != 3*processes {
		t.Fatalf("asked %d times, want %d: %q", len(numbers), 3*processes, out)
	}
	for i, n := range numbers {
		if i%3 > 0 && n == "0" {
			t.Errorf("FIONREAD said %v; only the first of each process's three may be 0", numbers)
			return
		}
	}
}

// TestFIONREADFromTheFirstInstruction adds a program that is stopped where it has
// mapped no library yet, as odi run starts one.
func TestFIONREADFromTheFirstInstruction(t *testing.T) {
	needRoot(t)
	addr, all, bare := answering(t)
	r := record(t)
	runtime.LockOSThread() // a tracee belongs to the thread that started it
	defer runtime.UnlockOSThread()
	cmd := program.Command(t, "python3", "testdata/ask.py", addr, "fork")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := cmd.Process.Pid
	if _, err := syscall.Wait4(pid, nil, 0, nil); err != nil {
		t.Fatal(err)
	}
	err := r.engine.AddTarget(probe.Target{PID: uint32(pid), Propagate: true, Children: true})
	if detached := syscall.PtraceDetach(pid); err != nil || detached != nil {
		t.Fatal(err, detached)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	checkAnswers(t, out.String(), 2)
	if all.Load() != 6 || bare.Load() > 0 {
		t.Errorf("%d of %d requests came without header", bare.Load(), all.Load())
	}
}

// TestFIONREADAfterForkAndExec adds a shell, whose children ask.
func TestFIONREADAfterForkAndExec(t *testing.T) {
	needRoot(t)
	for name, script := range map[string]string{
		"a child with another program": "read x; python3 testdata/ask.py $0; true",
		"another program in its place": "read x; exec python3 testdata/ask.py $0",
	} {
		t.Run(name, func(t *testing.T) {
			addr, all, bare := answering(t)
			r := record(t)
			cmd := program.Command(t, "sh", "-c", script, addr)
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			err = r.engine.AddTarget(probe.Target{PID: uint32(cmd.Process.Pid), Propagate: true, Children: true})
			if closed := in.Close(); err != nil || closed != nil {
				t.Fatal(err, closed)
			}
			if err := cmd.Wait(); err != nil {
				t.Fatalf("%v: %s", err, out.String())
			}
			checkAnswers(t, out.String(), 1)
			if all.Load() != 3 || bare.Load() > 0 {
				t.Errorf("%d of %d requests came without header", bare.Load(), all.Load())
			}
		})
	}
}
