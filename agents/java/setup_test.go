package java_test

import (
	"context"
	"flag"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/odi-dev/odi/agents/agenttest"
	"github.com/odi-dev/odi/internal/testkit/program"
)

var wide = flag.Bool("wide", false, "run with the JDKs of Debian sid, and every one below /usr/lib/jvm")

// jdk is a release of Java that applications run with.
type jdk struct {
	home string
	// from and in say where it is if it is not the machine's.
	from string
	in   interface {
		Command(ctx context.Context, name string, args ...string) *exec.Cmd
	}
}

// releases are those to run with; the short run takes the packaged one.
func releases(t *testing.T) []jdk {
	t.Helper()
	if !*wide {
		return []jdk{packaged(t)}
	}
	found, err := filepath.Glob("/usr/lib/jvm/*/bin/java")
	if err != nil {
		t.Fatal(err)
	}
	seen, all := map[string]bool{}, []jdk{}
	for _, java := range found {
		real, err := filepath.EvalSymlinks(filepath.Dir(filepath.Dir(java)))
		if err == nil && !seen[real] {
			seen[real] = true
			all = append(all, jdk{home: real})
		}
	}
	sid := agenttest.NewSid(t)
	for _, java := range sid.Find(t, "/usr/lib/jvm/java-[1-9]*-openjdk-*/bin/java") {
		if strings.Contains(java, "/java-1.") {
			continue // A link to another one.
		}
		all = append(all, jdk{filepath.Dir(filepath.Dir(java)), "sid", sid})
	}
	return all
}

// architectures are the releases, and in the wide run one for arm64, in whose emulator no time can be judged.
func architectures(t *testing.T) []jdk {
	t.Helper()
	if !*wide {
		return releases(t)
	}
	return append(releases(t), jdk{"/usr/lib/jvm/java-17-openjdk-arm64", "arm64", agenttest.NewARM64(t)})
}

// packaged is the JDK of hack/packages.txt.
func packaged(t *testing.T) jdk {
	t.Helper()
	real, err := filepath.EvalSymlinks(program.Need(t, "javac"))
	if err != nil {
		t.Fatal(err)
	}
	return jdk{home: filepath.Dir(filepath.Dir(real))}
}

var version = regexp.MustCompile(`version "(.*?)"`)

// version asks a release for its version: 21.0.13, or 1.8.0_504.
func (j jdk) version(t *testing.T) string {
	t.Helper()
	said, err := j.start(t, "-version").CombinedOutput()
	if err != nil {
		t.Fatalf("%s -version: %v\n%s", j.home, err, said)
	}
	found := version.FindSubmatch(said)
	if found == nil {
		t.Fatalf("%s has no version:\n%s", j.home, said)
	}
	return string(found[1])
}

// name says where a release is from, and its version.
func (j jdk) name(t *testing.T) string {
	t.Helper()
	if j.in != nil {
		return j.from + " " + j.version(t)
	}
	return filepath.Base(j.home) + " " + j.version(t)
}

// start starts a release of Java; those of the wide run are whatever the machine has.
func (j jdk) start(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	java := filepath.Join(j.home, "bin/java")
	if j.in != nil {
		return j.in.Command(context.WithoutCancel(t.Context()), java, args...)
	}
	return &exec.Cmd{Path: java, Args: append([]string{"java"}, args...)}
}

// classes compiles the application for Java 8, and the client of HTTP that came later for Java 11.
func classes(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, of := range []struct{ release, file string }{{"8", "App.java"}, {"11", "Async.java"}} {
		out, err := program.Command(t, "javac", "-nowarn", "-Xlint:-options", "--release", of.release, "-cp", dir, "-d", dir, "testdata/app/"+of.file).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	return dir
}

// jvm is an application in a JVM: with the agent unless endpoint is empty.
func (j jdk) jvm(t *testing.T, path, endpoint string, args ...string) *agenttest.Process {
	t.Helper()
	cmd := j.start(t, append([]string{"-cp", path, "App", "secret"}, args...)...)
	cmd.Env = []string{"PATH=" + program.Folders}
	if endpoint != "" {
		cmd.Env = append(cmd.Env, injected(t, endpoint)...)
	}
	return agenttest.Start(t, cmd).Listening(t)
}

// injected is the environment that the webhook gives.
func injected(t *testing.T, endpoint string) []string {
	t.Helper()
	return []string{
		"JAVA_TOOL_OPTIONS=-javaagent:" + agenttest.Tree(t, "agents/java/build.sh") + "/opentelemetry-javaagent.jar",
		"OTEL_SERVICE_NAME=app", "OTEL_EXPORTER_OTLP_ENDPOINT=" + endpoint, "OTEL_METRIC_EXPORT_INTERVAL=1000",
	}
}
