package python_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/odi-dev/odi/agents/agenttest"
	"github.com/odi-dev/odi/hack/cluster/cache"
	"github.com/odi-dev/odi/hack/images/build"
	"github.com/odi-dev/odi/internal/testkit/loopback"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// debian is the interpreter that the tests need; others are tested where they are.
const debian = "/usr/bin/python3"

// agent is the folder that the image holds, from the same cache.
func agent(t *testing.T) string {
	t.Helper()
	store, err := cache.Default()
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := build.Builder{Root: root, Cache: store}.Tree(t.Context(), "agents/python/build.sh")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// environment is the interpreter of a virtual environment of Debian's with the packages of testdata/NAME.txt.
func environment(t *testing.T, name string) string {
	t.Helper()
	return environmentOf(t, debian, name)
}

// environmentOf is environment for another interpreter, which has ensurepip.
func environmentOf(t *testing.T, python, name string) string {
	t.Helper()
	store, err := cache.Default()
	if err != nil {
		t.Fatal(err)
	}
	requirements, err := filepath.Abs(filepath.Join("testdata", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	inputs, err := cache.Files(requirements)
	if err != nil {
		t.Fatal(err)
	}
	inputs = append(inputs, pythonVersion(t, python))
	if python != debian {
		inputs = append(inputs, python)
	}
	dir, err := store.Make("venvs/"+name, cache.Key(inputs...), func(dir string) error {
		ctx := context.Background() // Another test may wait for it.
		make := start(ctx, t, python, "-m", "venv", dir)
		install := start(ctx, t, inVenv(python, dir), "-m", "pip", "install", "--quiet", "--only-binary", ":all:", "-r", requirements)
		if python == debian { // It has pip in a package of its own.
			make = start(ctx, t, python, "-m", "venv", "--without-pip", dir)
			install = start(ctx, t, python, "-m", "pip", "--python", inVenv(python, dir), "install", "--quiet", "-r", requirements)
		}
		if output, err := make.CombinedOutput(); err != nil {
			return fmt.Errorf("making a virtual environment: %w\n%s", err, output)
		}
		if output, err := install.CombinedOutput(); err != nil {
			return fmt.Errorf("installing %s (pip is in the package python3-pip): %w\n%s", requirements, err, output)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return inVenv(python, dir)
}

func inVenv(python, dir string) string {
	path := filepath.Join(dir, "bin/python")
	if strings.HasPrefix(python, inSid) {
		return inSid + path
	}
	return path
}

// start prepares an interpreter. Debian's, also in a virtual environment, must be there on a fresh machine, too;
// others are whatever this one has.
func start(ctx context.Context, t *testing.T, python string, args ...string) *exec.Cmd {
	t.Helper()
	if path, ok := strings.CutPrefix(python, inSid); ok {
		return agenttest.NewSid(t).Command(ctx, path, args...)
	}
	if path, ok := strings.CutPrefix(python, onARM64); ok {
		return agenttest.NewARM64(t).Command(ctx, path, args...)
	}
	if isOther(python) {
		return &exec.Cmd{Path: python, Args: append([]string{python}, args...)}
	}
	return program.CommandContext(ctx, t, python, args...)
}

// isOther says whether an interpreter, or that of a virtual environment, is not Debian's.
func isOther(python string) bool {
	ours, err := filepath.EvalSymlinks(debian)
	if err != nil {
		return false
	}
	real, err := filepath.EvalSymlinks(python)
	return err == nil && real != ours
}

func pythonVersion(t *testing.T, python string) string {
	t.Helper()
	output, err := start(t.Context(), t, python, "-c", "import sys; print('%d.%d.%d' % sys.version_info[:3])").Output()
	if err != nil {
		t.Fatalf("asking %s for its version: %v", python, err)
	}
	return strings.TrimSpace(string(output))
}

// injected is the environment that the webhook would give.
func injected(agentDir, endpoint string, more ...string) []string {
	return append(bare(), append([]string{
		"PYTHONPATH=" + agentDir + "/boot",
		"ODI_AGENT=python@0.66b1-odi.1",
		"OTEL_EXPORTER_OTLP_ENDPOINT=" + endpoint,
		"OTEL_EXPORTER_OTLP_PROTOCOL=http/json",
		"OTEL_SERVICE_NAME=tested",
		"OTEL_PROPAGATORS=tracecontext,baggage",
		"OTEL_SEMCONV_STABILITY_OPT_IN=http,database",
		"OTEL_METRICS_EXPORTER=otlp",
		"OTEL_LOGS_EXPORTER=none",
	}, more...)...)
}

// bare is the environment of an application without an agent.
func bare(more ...string) []string {
	return append([]string{"PATH=/usr/bin:/bin", "HOME=/nonexistent", "PYTHONDONTWRITEBYTECODE=1"}, more...)
}

// run runs an interpreter to its end and returns what it wrote to stdout; stderr must stay empty.
func run(t *testing.T, env []string, python string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := start(ctx, t, python, args...)
	var stderr bytes.Buffer
	cmd.Env, cmd.Stderr = env, &stderr
	output, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("running %s %v: %v\n%s", python, args, err, stderr.String())
	}
	return string(output)
}

// service is a server that a test started.
type service struct {
	cmd  *exec.Cmd
	port string
	log  string
}

// serve starts a server, and waits until it answers on its port.
func serve(t *testing.T, env []string, args ...string) *service {
	t.Helper()
	s := &service{port: loopback.Port(t), log: filepath.Join(t.TempDir(), "log")}
	log, err := os.Create(s.log)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "PORT", s.port)
	}
	s.cmd = start(context.WithoutCancel(t.Context()), t, args[0], args[1:]...)
	s.cmd.Dir = "testdata/apps"
	s.cmd.Env = append(slices.Clone(env), "PORT="+s.port)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.end(t) })
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if connection, err := net.Dial("tcp", "127.0.0.1:"+s.port); err == nil {
			_ = connection.Close()
			return s
		}
	}
	t.Fatalf("nobody answers on port %s:\n%s", s.port, s.output())
	return nil
}

func (s *service) output() string {
	content, _ := os.ReadFile(s.log) // For a message only.
	return string(content)
}

// end asks the server to end and returns how long that took.
func (s *service) end(t *testing.T) time.Duration {
	t.Helper()
	if s.cmd.ProcessState != nil {
		return 0
	}
	start := time.Now()
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	timer := time.AfterFunc(20*time.Second, func() { _ = s.cmd.Process.Kill() })
	defer timer.Stop()
	var exit *exec.ExitError
	if err := s.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		t.Errorf("waiting for a server: %v", err)
	}
	return time.Since(start)
}

// hanging is the address of a collector that takes connections and never answers.
func hanging(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return "http://" + l.Addr().String()
}
