package python_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/internal/testkit"
)

// said is what testdata/say.py prints.
type said struct {
	State         string            `json:"state"`
	Path          []string          `json:"path"`
	Versions      map[string]string `json:"versions"`
	Distributions []string          `json:"distributions"`
	Missing       []string          `json:"missing"`
	User          string            `json:"user"`
}

func say(t *testing.T, env []string, python string, args ...string) said {
	t.Helper()
	var s said
	output := run(t, env, python, args...)
	if err := json.Unmarshal([]byte(output), &s); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return s
}

func TestAnApplicationSeesThePackagesThatItShips(t *testing.T) {
	dir := agent(t)
	shipped := []string{"requests", "urllib3", "google.protobuf", "packaging", "wrapt", "typing_extensions"}
	tests := map[string]struct {
		packages  string
		imports   []string
		wantState string
	}{
		"old packages and OpenTelemetry's API": {"old", shipped, "alive"},
		"an SDK of its own":                    {"oldsdk", append([]string{"opentelemetry.trace", "opentelemetry.sdk.trace", "opentelemetry.sdk.version"}, shipped...), "own-sdk"},
		"frameworks":                           {"frameworks", []string{"flask", "requests", "django", "fastapi", "starlette", "httpx", "celery", "aiohttp"}, "alive"},
	}
	for name, tc := range tests {
		for _, interpreter := range releases(t) {
			if interpreter != debian && tc.packages != "frameworks" {
				continue // Old packages are not for new interpreters.
			}
			t.Run(pythonVersion(t, interpreter)+" "+name, func(t *testing.T) {
				python := environmentOf(t, interpreter, tc.packages)
				args := append([]string{"testdata/say.py"}, tc.imports...)
				want := say(t, bare(), python, args...)
				want.State = tc.wantState
				got := say(t, injected(dir, newReceiver(t).url), python, args...)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("(-without an agent +with):\n%s", diff)
				}
			})
		}
	}
	t.Run("nothing", func(t *testing.T) {
		want := say(t, bare(), debian, "testdata/say.py")
		want.State = "alive"
		got := say(t, injected(dir, newReceiver(t).url), debian, "testdata/say.py")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-without an agent +with):\n%s", diff)
		}
	})
}

func TestAnSDKThatIsSetUpLaterTakesOver(t *testing.T) {
	to := newReceiver(t)
	url, parents := target(t)
	output := run(t, injected(agent(t), to.url), debian, "testdata/own.py", url, t.TempDir())
	if got, want := strings.TrimSpace(output), "True own-sdk"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if spans := to.wait(t, 1); len(spans) != 1 {
		t.Errorf("got %d spans, want the one of before", len(spans))
	}
	if len(*parents) != 2 || (*parents)[0] == "" || (*parents)[1] != "" {
		t.Errorf("the server was told %q, want the agent's parent and then none", *parents)
	}
}

func TestStatesWithSettingsOfTheUser(t *testing.T) {
	dir := agent(t)
	tests := map[string]struct {
		env  string
		want string
	}{
		"none":                         {"X=", "alive"},
		"no SDK":                       {"OTEL_SDK_DISABLED=true", "unsupported"},
		"an exporter that is not here": {"OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "unsupported"},
		"a propagator that is here":    {"OTEL_PROPAGATORS=b3multi,xray", "alive"},
		"a propagator that is nowhere": {"OTEL_PROPAGATORS=nowhere", "failed"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := say(t, injected(dir, newReceiver(t).url, tc.env), debian, "testdata/say.py").State; got != tc.want {
				t.Errorf("the state is %q, want %q", got, tc.want)
			}
		})
	}
}

func TestOldPythonsSayThatTheyAreUnsupported(t *testing.T) {
	dir := agent(t)
	for _, python := range others(t) {
		version := pythonVersion(t, python)
		if strings.HasPrefix(version, "3.1") {
			continue
		}
		t.Run(version, func(t *testing.T) {
			if got := say(t, injected(dir, newReceiver(t).url), python, "testdata/say.py").State; got != "unsupported" {
				t.Errorf("the state is %q, want unsupported", got)
			}
		})
	}
}

func TestTheUsersSitecustomizeRuns(t *testing.T) {
	dir, users := agent(t), t.TempDir()
	write := func(t *testing.T, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(users, "sitecustomize.py"), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, python := range append(interpreters(t), others(t)...) {
		t.Run(pythonVersion(t, python), func(t *testing.T) {
			write(t, "import os\nassert __name__ == 'sitecustomize'\nos.environ['USERS_OWN_RAN'] = __file__\n")
			env := injected(dir, newReceiver(t).url, "PYTHONPATH="+dir+"/boot:"+users)
			if got := say(t, env, python, "testdata/say.py"); !strings.HasPrefix(got.User, users) || got.State == "" {
				t.Errorf("the user's sitecustomize ran as %q, and the state is %q", got.User, got.State)
			}
		})
	}
	t.Run("one that raises", func(t *testing.T) {
		write(t, "raise ValueError('the user made a mistake')\n")
		output := func(pythonPath string) string {
			cmd := start(t.Context(), t, debian, "testdata/say.py")
			cmd.Env = injected(dir, newReceiver(t).url, "PYTHONPATH="+pythonPath)
			content, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, content)
			}
			return string(content)
		}
		with, without := output(dir+"/boot:"+users), output(users)
		if !strings.Contains(without, "the user made a mistake") || !strings.Contains(with, "the user made a mistake") || !strings.Contains(with, `"alive"`) {
			t.Errorf("with the agent:\n%swithout:\n%s", with, without)
		}
	})
}

func TestWhatIsNotForTheAgentHasNone(t *testing.T) {
	dir := agent(t)
	env := injected(dir, newReceiver(t).url)
	look := "import sys; print('odi_agent' in sys.modules)"
	tests := map[string]struct {
		args []string
		want string
	}{
		"code":               {[]string{"-c", look}, "True"},
		"flags before code":  {[]string{"-u", "-Wignore", "-X", "dev", "-c", look}, "True"},
		"no site":            {[]string{"-S", "-c", look}, "False"},
		"no environment":     {[]string{"-E", "-c", look}, "False"},
		"isolated":           {[]string{"-I", "-c", look}, "False"},
		"multiprocessing's":  {[]string{"-c", "from multiprocessing.resource_tracker import main; " + look}, "False"},
		"a tool":             {[]string{tool(t, "pip3.11", look)}, "False"},
		"a service's script": {[]string{tool(t, "pippin", look)}, "True"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := strings.TrimSpace(run(t, env, debian, tc.args...)); got != tc.want {
				t.Errorf("the agent is in: %s, want %s", got, tc.want)
			}
		})
	}
	if got := run(t, env, debian, "-m", "pip", "--version"); !strings.HasPrefix(got, "pip ") {
		t.Errorf("pip said %q", got)
	}
}

func tool(t *testing.T, name, code string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(code), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestABrokenAgentHarmsNothing(t *testing.T) {
	whole := agent(t)
	url, _ := target(t)
	tests := map[string]struct {
		breakIt   func(dir string) error
		wantState string
	}{
		"no lib":             {func(dir string) error { return os.RemoveAll(dir + "/lib") }, "failed"},
		"no states":          {func(dir string) error { return os.RemoveAll(dir + "/state") }, ""},
		"no SDK":             {func(dir string) error { return os.RemoveAll(dir + "/lib/opentelemetry/sdk") }, "failed"},
		"half a file":        {func(dir string) error { return os.Truncate(dir+"/lib/odi_agent/start.py", 500) }, "failed"},
		"half a dependency":  {func(dir string) error { return os.Truncate(dir+"/lib/opentelemetry/sdk/trace/__init__.py", 9000) }, "failed"},
		"an empty boot file": {func(dir string) error { return os.Truncate(dir+"/boot/sitecustomize.py", 0) }, ""},
		"an instrumentation": {func(dir string) error {
			return os.Truncate(dir+"/lib/opentelemetry/instrumentation/urllib/__init__.py", 99)
		}, "alive"},
		"nothing at all": {os.RemoveAll, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "agent")
			if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
				t.Fatal(err)
			}
			if err := tc.breakIt(dir); err != nil {
				t.Fatal(err)
			}
			env := injected(dir, newReceiver(t).url)
			if got := say(t, env, debian, "testdata/say.py", "urllib.request"); got.State != tc.wantState {
				t.Errorf("the state is %q, want %q", got.State, tc.wantState)
			}
			run(t, env, debian, "testdata/get.py", url, "itself")
		})
	}
}

func TestAnyUserMayRunIt(t *testing.T) {
	whole := agent(t)
	testkit.NeedRoot(t) // to become another user
	// In a place that others may enter; the cache may be in root's home.
	dir, err := os.MkdirTemp("", "odi-agent-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.CopyFS(dir+"/agent", os.DirFS(whole)); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir+"/testdata", os.DirFS("testdata")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	to := newReceiver(t)
	url, _ := target(t)
	var stderr bytes.Buffer
	cmd := start(t.Context(), t, debian, dir+"/testdata/get.py", url, "itself")
	cmd.Dir, cmd.Stderr = "/", &stderr
	cmd.Env = slices.DeleteFunc(injected(dir+"/agent", to.url), func(v string) bool { return strings.HasPrefix(v, "PYTHONDONT") })
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 54321, Gid: 54321}}
	if err := cmd.Run(); err != nil || stderr.Len() > 0 {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	if spans := to.wait(t, 1); len(spans) != 1 {
		t.Errorf("got %d spans, want 1", len(spans))
	}
}
