package detect_test

import (
	"context"
	"debug/buildinfo"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/internal/procfs"
	"github.com/odi-dev/odi/internal/testkit/program"
	"github.com/odi-dev/odi/languages/language"
	"github.com/odi-dev/odi/odiglet/detect"
)

// TestInterpreters starts every runtime that Debian has and expects what it says of itself.
func TestInterpreters(t *testing.T) {
	tests := map[string]struct {
		start []string
		// version prints the version in a line of its own.
		version []string
		want    language.Runtime
	}{
		"Python": {
			start:   []string{"python3", "-c", "import time; time.sleep(60)"},
			version: []string{"python3", "-c", "import platform; print(platform.python_version())"},
			want:    language.Runtime{Language: language.Python},
		},
		"Node.js": {
			start:   []string{"node", "-e", "setTimeout(() => {}, 60000)"},
			version: []string{"node", "-p", "process.versions.node"},
			want:    language.Runtime{Language: language.Nodejs, Strict: true},
		},
		"Ruby": {
			start:   []string{"ruby", "-e", "sleep 60"},
			version: []string{"ruby", "-e", "puts RUBY_VERSION"},
			want:    language.Runtime{Language: language.Ruby},
		},
		"PHP": {
			start:   []string{"php", "-r", "sleep(60);"},
			version: []string{"php", "-r", "echo PHP_VERSION;"},
			want:    language.Runtime{Language: language.PHP},
		},
		"PHP behind FPM": {
			start:   []string{phpFPM(t), "--nodaemonize", "--fpm-config", fpmConfig(t)},
			version: []string{"php", "-r", "echo PHP_VERSION;"},
			want:    language.Runtime{Language: language.PHP},
		},
		"Perl": {
			start: []string{"perl", "-e", "sleep 60"},
			want:  language.Runtime{Language: language.Perl},
		},
		"a shell": {
			start: []string{"bash", "-c", "read line"},
			want:  language.Runtime{Language: language.C, Helper: true},
		},
		"a loader started by hand": {
			start: []string{"/lib64/ld-linux-x86-64.so.2", "/usr/bin/perl", "-e", "sleep 60"},
			want:  language.Runtime{Language: language.Perl},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			tc.want.Libc = language.Glibc
			tc.want.Version = output(t, tc.version)
			expect(t, start(t, nil, tc.start...), tc.want)
		})
	}
}

func TestJava(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/Wait.java", `public class Wait { public static void main(String[] a) throws Exception { Thread.sleep(60000); } }`)
	run(t, "javac", "-d", dir, dir+"/Wait.java")
	want := language.Runtime{Language: language.Java, Libc: language.Glibc, Version: javaVersion(t), AsksAgain: true}
	t.Run("java", func(t *testing.T) {
		expect(t, start(t, nil, "java", "-Xmx32m", "-cp", dir, "Wait"), want)
	})
	t.Run("java as an alien name is found by libjvm", func(t *testing.T) {
		java, err := filepath.EvalSymlinks(program.Need(t, "java"))
		if err != nil {
			t.Fatal(err)
		}
		home := filepath.Dir(filepath.Dir(java))
		write(t, dir+"/launcher.c", launcherOfJava)
		run(t, "gcc", "-o", dir+"/acme-server", "-I"+home+"/include", "-I"+home+"/include/linux",
			dir+"/launcher.c", "-L"+home+"/lib/server", "-ljvm", "-Wl,-rpath,"+home+"/lib/server")
		expect(t, start(t, nil, dir+"/acme-server", "-Djava.class.path="+dir), want)
	})
	t.Run("an agent in JAVA_TOOL_OPTIONS", func(t *testing.T) {
		want := want
		want.Agents = []language.Agent{{Name: "datadog", Loaded: true}}
		agent := agentJar(t, dir, "dd-java-agent.jar")
		expect(t, start(t, []string{"JAVA_TOOL_OPTIONS=-javaagent:" + agent}, "java", "-Xmx32m", "-cp", dir, "Wait"), want)
	})
}

const launcherOfJava = `
#include <jni.h>
int main(int argc, char **argv) {
	JavaVM *vm; JNIEnv *env;
	JavaVMOption option = { .optionString = argv[1] };
	JavaVMInitArgs args = { .version = JNI_VERSION_1_8, .nOptions = 1, .options = &option };
	if (JNI_CreateJavaVM(&vm, (void **)&env, &args) != 0) return 1;
	jclass wait = (*env)->FindClass(env, "Wait");
	if (!wait) return 2;
	(*env)->CallStaticVoidMethod(env, wait, (*env)->GetStaticMethodID(env, wait, "main", "([Ljava/lang/String;)V"), NULL);
	return 0;
}`

func TestCompiled(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(dir+"/go", 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, dir+"/go/main.go", "package main\nimport \"syscall\"\nfunc main() { syscall.Read(0, make([]byte, 1)) }\n")
	write(t, dir+"/go/go.mod", "module wait\n\ngo 1.21\n")
	write(t, dir+"/main.c", "#include <unistd.h>\nint main(void) { char c; return read(0, &c, 1); }\n")
	write(t, dir+"/main.cc", "#include <iostream>\nint main() { std::string s; std::cin >> s; }\n")
	write(t, dir+"/main.rs", "fn main() { let mut s = String::new(); std::io::stdin().read_line(&mut s).unwrap(); }\n")
	goVersion := goVersion(t)
	rustVersion := strings.Fields(output(t, []string{"rustc", "--version"}))[1]
	out := dir + "/out"
	tests := map[string]struct {
		build []string
		strip bool
		want  language.Runtime
	}{
		"Go":          {build: goBuild(out), want: language.Runtime{Language: language.Go, Version: goVersion, Libc: language.Static}},
		"Go stripped": {build: goBuild(out, "-trimpath", "-ldflags=-s -w"), strip: true, want: language.Runtime{Language: language.Go, Version: goVersion, Libc: language.Static}},
		"Go static PIE": {
			build: goBuild(out, "-buildmode=pie", "-trimpath", "-ldflags=-s -w -linkmode=external -extldflags=-static-pie"),
			want:  language.Runtime{Language: language.Go, Version: goVersion, Libc: language.Static},
		},
		"Go PIE": {
			build: goBuild(out, "-buildmode=pie"),
			want:  language.Runtime{Language: language.Go, Version: goVersion, Libc: language.Glibc},
		},
		"C":          {build: []string{"gcc", "-o", out, "main.c"}, want: language.Runtime{Language: language.C, Libc: language.Glibc}},
		"C stripped": {build: []string{"gcc", "-o", out, "main.c"}, strip: true, want: language.Runtime{Language: language.C, Libc: language.Glibc}},
		"C static":   {build: []string{"gcc", "-static", "-o", out, "main.c"}, want: language.Runtime{Language: language.C, Libc: language.Static}},
		"C musl":     {build: []string{"musl-gcc", "-o", out, "main.c"}, want: language.Runtime{Language: language.C, Libc: language.Musl}},
		"C++":        {build: []string{"g++", "-o", out, "main.cc"}, strip: true, want: language.Runtime{Language: language.CPP, Libc: language.Glibc}},
		"C++ static": {build: []string{"g++", "-static", "-o", out, "main.cc"}, strip: true, want: language.Runtime{Language: language.CPP, Libc: language.Static}},
		"Rust":       {build: []string{"rustc", "-o", out, "main.rs"}, want: language.Runtime{Language: language.Rust, Version: rustVersion, Libc: language.Glibc, Strict: true}},
		"Rust without the compiler's signature": {
			build: []string{"rustc", "-O", "-C", "strip=symbols", "-o", out, "main.rs"}, strip: true,
			// Debian's standard library has its version in its sources' path.
			want: language.Runtime{Language: language.Rust, Version: rustVersion, Libc: language.Glibc, Strict: true},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			os.Remove(out)
			build := program.Command(t, tc.build[0], tc.build[1:]...)
			build.Dir = dir
			build.Env = append(build.Env, "CGO_ENABLED=1") // a static PIE needs the external linker
			if text, err := build.CombinedOutput(); err != nil {
				t.Fatalf("building: %v\n%s", err, text)
			}
			if tc.strip {
				run(t, "strip", "--strip-all", "--remove-section=.comment", out)
			}
			expect(t, start(t, nil, out), tc.want)
		})
	}
}

func TestServers(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/nginx.conf", "daemon off; master_process off; pid "+dir+"/pid; error_log stderr; events {} http { access_log off; server { listen unix:"+dir+"/s; } }\n")
	write(t, dir+"/haproxy.cfg", "frontend f\n  mode http\n  timeout client 1s\n  bind unix@"+dir+"/h\n")
	tests := map[string]struct {
		start []string
		want  language.Runtime
	}{
		"nginx": {
			start: []string{"nginx", "-p", dir, "-c", dir + "/nginx.conf"},
			want:  language.Runtime{Language: language.C, Server: "nginx", EventLoop: true},
		},
		"haproxy": {
			start: []string{"haproxy", "-f", dir + "/haproxy.cfg"},
			want:  language.Runtime{Language: language.C, Server: "haproxy", EventLoop: true},
		},
		"redis": {
			start: []string{"redis-server", "--port", "0", "--dir", dir},
			want:  language.Runtime{Language: language.C, Server: "redis"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			tc.want.Libc = language.Glibc
			expect(t, start(t, nil, tc.start...), tc.want)
		})
	}
}

func TestProcessThatHasEnded(t *testing.T) {
	cmd := program.Command(t, "true")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	_, err := detect.New().Detect(context.Background(), cmd.Process.Pid)
	if !errors.Is(err, procfs.ErrGone) {
		t.Fatalf("got %v, want ErrGone", err)
	}
}

func TestExecutableThatWasReplaced(t *testing.T) {
	dir := t.TempDir()
	copied := dir + "/sleep"
	run(t, "cp", program.Need(t, "sleep"), copied)
	pid := start(t, nil, copied, "60")
	d := detect.New()
	before := settled(t, d, pid, func(f detect.Found) bool { return f.Runtime.Libc == language.Glibc })
	if err := os.Remove(copied); err != nil {
		t.Fatal(err)
	}
	after, err := d.Detect(context.Background(), pid)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("removing the file changed what was detected (-before +after):\n%s", diff)
	}
	if before.Executable.BuildID == "" || before.Executable.Path != copied {
		t.Errorf("got executable %+v", before.Executable)
	}
}

func BenchmarkDetect(b *testing.B) {
	cmd := program.Command(b, "node", "-e", "setTimeout(() => {}, 60000)")
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	time.Sleep(300 * time.Millisecond)
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			if _, err := detect.New().Detect(context.Background(), cmd.Process.Pid); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("again", func(b *testing.B) {
		d := detect.New()
		for b.Loop() {
			if _, err := d.Detect(context.Background(), cmd.Process.Pid); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// expect waits until the process has loaded its libraries and compares.
func expect(t *testing.T, pid int, want language.Runtime) {
	t.Helper()
	got := settled(t, detect.New(), pid, func(f detect.Found) bool { return cmp.Equal(f.Runtime, want) })
	if diff := cmp.Diff(want, got.Runtime); diff != "" {
		t.Errorf("%s (-want +got):\n%s", got.Executable.Path, diff)
	}
}

// settled detects until done agrees, at most 10 seconds.
func settled(t *testing.T, d *detect.Detector, pid int, done func(detect.Found) bool) detect.Found {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		found, err := d.Detect(context.Background(), pid)
		if err == nil && done(found) || time.Now().After(deadline) {
			if err != nil {
				t.Fatal(err)
			}
			return found
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// start runs a program until the end of the test. Its standard input stays open, so that reading it waits.
func start(t *testing.T, env []string, argv ...string) int {
	t.Helper()
	cmd := program.Command(t, argv[0], argv[1:]...)
	cmd.Env = append(cmd.Env, env...)
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return cmd.Process.Pid
}

func run(t *testing.T, argv ...string) {
	t.Helper()
	if out, err := program.Command(t, argv[0], argv[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("running %v: %v\n%s", argv, err, out)
	}
}

func output(t *testing.T, argv []string) string {
	t.Helper()
	if argv == nil {
		return ""
	}
	out, err := program.Command(t, argv[0], argv[1:]...).Output()
	if err != nil {
		t.Fatalf("running %v: %v", argv, err)
	}
	return strings.TrimSpace(string(out))
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func goBuild(out string, flags ...string) []string {
	return append(append([]string{"go", "build", "-C", "go", "-o", out}, flags...), ".")
}

// goVersion is that of the toolchain that built this test.
func goVersion(t *testing.T) string {
	t.Helper()
	self, err := buildinfo.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(self.GoVersion, "go")
}

func javaVersion(t *testing.T) string {
	t.Helper()
	// openjdk 17.0.15 2025-04-15
	return strings.Fields(output(t, []string{"java", "--version"}))[1]
}

// agentJar makes a Java agent that does nothing.
func agentJar(t *testing.T, dir, name string) string {
	t.Helper()
	write(t, dir+"/Agent.java", `public class Agent { public static void premain(String a) {} }`)
	write(t, dir+"/manifest", "Premain-Class: Agent\n")
	run(t, "javac", "-d", dir, dir+"/Agent.java")
	jar := filepath.Join(dir, name)
	run(t, "jar", "cfm", jar, dir+"/manifest", "-C", dir, "Agent.class")
	return jar
}

// phpFPM is the name of FPM, which Debian calls by the version alone.
func phpFPM(t *testing.T) string {
	t.Helper()
	return "php-fpm" + output(t, []string{"php", "-r", "echo PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION;"})
}

func fpmConfig(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir+"/fpm.conf", "[global]\nerror_log = "+dir+"/log\n[www]\nuser = root\nlisten = "+dir+"/s\npm = static\npm.max_children = 1\n")
	return dir + "/fpm.conf"
}
