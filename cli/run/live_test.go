package run

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"

	"github.com/odi-dev/odi/bpf/guard"
	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/streams"
	"github.com/odi-dev/odi/internal/testkit"
	"github.com/odi-dev/odi/internal/testkit/loopback"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// The test's own binary is `odi run`, and the applications, when this says so.
const (
	roleVariable = "ODI_TEST_ROLE"
	roleODI      = "odi"
	roleServer   = "server" // serves its first argument
	roleCaller   = "caller" // asks its first argument once
	roleByName   = "name"   // odi or the caller, as the executable is called
)

func TestMain(m *testing.M) {
	Canary()
	guard.Main() // a test that is odi may be its guard, as cmd/odi is
	overlay()
	role := os.Getenv(roleVariable)
	if name := filepath.Base(os.Args[0]); role == roleByName {
		role = map[string]string{"odi": roleODI, "odi-caller": roleCaller}[name]
	}
	// Programs that these start are nothing special, but for the tests of a command.
	if next := os.Getenv(roleVariable + "_CHILD"); role == roleODI && next != "" {
		os.Setenv(roleVariable, next)
	}
	switch role {
	case roleODI:
		cmd := New(streams.Standard())
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		cmd.SetArgs(os.Args[1:])
		err := cmd.Execute()
		if err != nil && !exit.Quiet(err) {
			fmt.Fprintln(os.Stderr, "odi:", err)
		}
		os.Exit(exit.Code(err))
	case roleServer:
		fmt.Fprintln(os.Stderr, http.ListenAndServe(os.Args[1], http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintln(w, "ok")
		})))
		os.Exit(1)
	case roleCaller:
		resp, err := http.Get(os.Args[1])
		if err != nil || resp.Body.Close() != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	for _, name := range []string{"SUDO_UID", "SUDO_GID", "SUDO_USER"} { // `sudo make test` is not what is tested
		os.Unsetenv(name)
	}
	os.Exit(m.Run())
}

// odi is a running `odi run`.
type odi struct {
	t        *testing.T
	cmd      *exec.Cmd
	out, err syncBuffer
	ended    chan error
}

func startODI(t *testing.T, env []string, args ...string) *odi {
	t.Helper()
	if i := slices.Index(args, "--"); i >= 0 && !strings.Contains(args[i+1], "/") {
		program.Need(t, args[i+1]) // odi starts it
	}
	return startCommand(t, env, append([]string{os.Args[0]}, args...)...)
}

// says waits until the errors stream has said something.
func (o *odi) says(text string) {
	o.t.Helper()
	testkit.Eventually(o.t, 15*time.Second, "odi says "+text, func() bool { return strings.Contains(o.err.String(), text) })
}

func (o *odi) prints(pattern string) {
	o.t.Helper()
	want := regexp.MustCompile(pattern)
	for end := time.Now().Add(10 * time.Second); !want.MatchString(o.out.String()); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			o.t.Fatalf("odi does not print %s:\n%s\n%s", pattern, o.out.String(), o.err.String())
		}
	}
}

// interrupt ends it as ctrl-c does; it must be gone within a second.
func (o *odi) interrupt() {
	o.t.Helper()
	begin := time.Now()
	if err := o.cmd.Process.Signal(os.Interrupt); err != nil {
		o.t.Fatal(err)
	}
	if code := o.wait(); code != exit.OK {
		o.t.Errorf("exit code %d\n%s", code, o.err.String())
	}
	if took := time.Since(begin); took > time.Second {
		o.t.Errorf("it took %v to end", took)
	}
}

func (o *odi) wait() int {
	o.t.Helper()
	return o.waitFor(20 * time.Second)
}

func (o *odi) waitFor(most time.Duration) int {
	o.t.Helper()
	select {
	case <-o.ended:
		return o.cmd.ProcessState.ExitCode()
	case <-time.After(most):
		o.t.Fatalf("it does not end\n%s", o.err.String())
		return -1
	}
}

// wantBooks checks the last line.
func (o *odi) wantBooks(want string) {
	o.t.Helper()
	lines := strings.Split(strings.TrimSpace(o.err.String()), "\n")
	if got := lines[len(lines)-1]; got != want {
		o.t.Errorf("books: %s, want %s", got, want)
	}
}

// startServer runs a web server of an executable of its own name.
func startServer(t *testing.T, exe string) (address string, pid int) {
	t.Helper()
	address = loopback.Address(t)
	cmd := program.Command(t, exe, address)
	cmd.Env = append(cmd.Env, roleVariable+"="+roleServer)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	testkit.Eventually(t, 10*time.Second, "the server listens", func() bool {
		conn, err := net.Dial("tcp", address)
		return err == nil && conn.Close() == nil
	})
	return address, cmd.Process.Pid
}

// named copies the test's binary, so that it goes by a name that no other process has.
func named(t *testing.T, name string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "odi-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { // another user runs it, too
		t.Fatal(err)
	}
	content, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, content, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRunTracesWhatListensAlready(t *testing.T) {
	testkit.NeedRoot(t)
	address, _ := startServer(t, os.Args[0])
	_, port, _ := net.SplitHostPort(address)
	o := startODI(t, nil, "--port", port)
	o.says("tracing run.test (pid ")
	for i := range 3 {
		get(t, fmt.Sprintf("http://%s/item/%d", address, i))
	}
	o.prints(`(?s)(server GET /item/\{id\}  +200 .*){3}`)
	o.interrupt()
	o.wantBooks("seen 3 = sent 3 + dropped 0")
	if strings.Contains(o.out.String(), "\x1b") {
		t.Error("colour, though nobody looks")
	}
}

func TestRunWritesOTLPJSON(t *testing.T) {
	testkit.NeedRoot(t)
	address, pid := startServer(t, os.Args[0])
	o := startODI(t, nil, "--pid", fmt.Sprint(pid), "-o", "json")
	o.says("tracing run.test")
	get(t, "http://"+address+"/a")
	o.prints(`\n`)
	o.interrupt()
	spans := 0
	for line := range strings.Lines(o.out.String()) {
		td, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces([]byte(line))
		if err != nil {
			t.Fatalf("%v in line %s", err, line)
		}
		spans += td.SpanCount()
	}
	if spans != 1 {
		t.Errorf("%d spans, want 1:\n%s", spans, o.out.String())
	}
}

func TestRunWaitsForAnExecutable(t *testing.T) {
	testkit.NeedRoot(t)
	exe := named(t, "odi-late-app")
	o := startODI(t, nil, "--exe", "odi-late-app")
	o.says("waiting for a process of odi-late-app")
	address, _ := startServer(t, exe)
	o.says("tracing odi-late-app")
	get(t, "http://"+address+"/late")
	o.prints(`odi-late-app +server GET /late +200`)
	o.interrupt()
}

func TestRunACommand(t *testing.T) {
	testkit.NeedRoot(t)
	address, _ := startServer(t, os.Args[0])
	for name, tc := range map[string]struct {
		command []string
		want    int
	}{
		"its exit code is odi's":           {command: []string{"sh", "-c", "exit 7"}, want: 7},
		"a signal counts above 128":        {command: []string{"sh", "-c", "kill -TERM $$"}, want: 128 + 15},
		"a command that is not there":      {command: []string{"/no/such/command"}, want: exit.Usage},
		"success":                          {command: []string{"true"}, want: 0},
		"its grandchildren do not hold it": {command: []string{"sh", "-c", "true & exit 3"}, want: 3},
	} {
		t.Run(name, func(t *testing.T) {
			o := startODI(t, nil, append([]string{"--"}, tc.command...)...)
			if code := o.wait(); code != tc.want {
				t.Errorf("exit code %d, want %d\n%s", code, tc.want, o.err.String())
			}
		})
	}
	t.Run("its very first request is traced", func(t *testing.T) {
		o := startODI(t, []string{roleVariable + "_CHILD=" + roleCaller}, "--", os.Args[0], "http://"+address+"/first")
		if code := o.wait(); code != 0 {
			t.Fatalf("exit code %d\n%s", code, o.err.String())
		}
		o.prints(`run.test +client GET ` + regexp.QuoteMeta(address) + `/first +200`)
		o.wantBooks("seen 1 = sent 1 + dropped 0")
	})
	t.Run("SIGTERM is passed on", func(t *testing.T) {
		o := startODI(t, nil, "--", "sh", "-c", "trap 'exit 9' TERM; echo armed; while :; do sleep 0.05; done")
		o.prints("armed")
		if err := o.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if code := o.wait(); code != 9 {
			t.Errorf("exit code %d, want the trap's 9\n%s", code, o.err.String())
		}
	})
}

func TestRunSendsOTLP(t *testing.T) {
	testkit.NeedRoot(t)
	address, pid := startServer(t, os.Args[0])
	r := &otlpReceiver{}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := grpc.NewServer()
	ptraceotlp.RegisterGRPCServer(srv, r)
	go func() { _ = srv.Serve(listener) }()
	t.Cleanup(srv.Stop)

	o := startODI(t, nil, "--pid", fmt.Sprint(pid), "--otlp", listener.Addr().String())
	o.says("tracing run.test")
	const n = 200
	for i := range n {
		get(t, fmt.Sprintf("http://%s/%d", address, i))
	}
	o.interrupt()
	o.wantBooks(fmt.Sprintf("seen %d = sent %d + dropped 0", n, n))
	if r.count() != n || o.out.String() != "" {
		t.Errorf("the receiver has %d spans, want %d; standard output has %q", r.count(), n, o.out.String())
	}
}

type otlpReceiver struct {
	ptraceotlp.UnimplementedGRPCServer

	mu    sync.Mutex
	spans int
}

func (r *otlpReceiver) Export(_ context.Context, req ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.spans += req.Traces().SpanCount()
	return ptraceotlp.NewExportResponse(), nil
}

func (r *otlpReceiver) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.spans
}

func TestRunEndsWithItsProcesses(t *testing.T) {
	testkit.NeedRoot(t)
	sleep := program.Command(t, "sleep", "60")
	if err := sleep.Start(); err != nil {
		t.Fatal(err)
	}
	o := startODI(t, nil, "--pid", fmt.Sprint(sleep.Process.Pid))
	o.says("tracing sleep")
	_ = sleep.Process.Kill()
	_ = sleep.Wait()
	if code := o.wait(); code != 0 {
		t.Errorf("exit code %d\n%s", code, o.err.String())
	}
	o.wantBooks("seen 0 = sent 0 + dropped 0")
}

func TestRunWithoutPrivileges(t *testing.T) {
	testkit.NeedRoot(t)
	for _, args := range [][]string{{"--port", "1"}, {"--pid", "1"}} {
		cmd := program.Command(t, named(t, "odi"), args...)
		cmd.Env = append(cmd.Env, roleVariable+"="+roleODI)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		cmd.Dir = "/"
		var output bytes.Buffer
		cmd.Stderr = &output
		_ = cmd.Run() // the exit code tells
		if code := cmd.ProcessState.ExitCode(); code != exit.Failed || !strings.Contains(output.String(), "CAP_BPF") || !strings.Contains(output.String(), "sudo odi run") {
			t.Errorf("%v: exit code %d, output %s", args, code, output.String())
		}
	}
}

func TestBadInput(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"nothing to trace":         {want: "nothing to trace; give --pid N, --port N, --exe NAME, or -- COMMAND"},
		"a pid that is nobody's":   {args: []string{"--pid", "1073741824"}, want: "--pid 1073741824: no such process"},
		"a pid that cannot be":     {args: []string{"--pid", "-4"}, want: "--pid -4 is no process id"},
		"a port that cannot be":    {args: []string{"--port", "70000"}, want: "--port 70000 is not between 1 and 65535"},
		"an empty executable":      {args: []string{"--exe", " "}, want: "--exe needs a name"},
		"an unknown output":        {args: []string{"--port", "1", "-o", "xml"}, want: `unknown output "xml"; one of tree, json, none`},
		"a bad endpoint":           {args: []string{"--port", "1", "--otlp", "ftp://x"}, want: `scheme "ftp" is not http or https`},
		"a command without --":     {args: []string{"./server"}, want: `unexpected argument "./server"; a command goes after "--"`},
		"a root without a command": {args: []string{"--port", "1", "--as-root"}, want: `--as-root needs a command after "--"`},
		"metrics without a place":  {args: []string{"--port", "1", "--metrics"}, want: "--metrics needs -o json"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := New(streams.Streams{Out: io.Discard, Err: io.Discard})
			cmd.SilenceErrors, cmd.SilenceUsage = true, true
			cmd.SetArgs(tc.args)
			err := cmd.ExecuteContext(t.Context())
			if exit.Code(err) != exit.Usage || !strings.Contains(fmt.Sprint(err), tc.want) {
				t.Errorf("exit code %d: %v; want %q", exit.Code(err), err, tc.want)
			}
		})
	}
}
