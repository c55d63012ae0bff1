package program

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// status is the database of a machine on which somebody installed lynx, and curl with its library, by hand.
const status = `Package: base-files
Essential: yes
Status: install ok installed
Architecture: amd64
Pre-Depends: awk

Package: mawk
Status: install ok installed
Provides: awk
Priority: required
Architecture: amd64

Package: ruby
Status: install ok installed
Architecture: amd64
Depends: ruby3.1:any (>= 3.1.0~),
 libgone | lynx

Package: ruby3.1
Status: install ok installed
Architecture: amd64
Recommends: curl

Package: openjdk
Status: install ok installed
Architecture: amd64

Package: lynx
Status: install ok installed
Architecture: amd64

Package: curl
Status: install ok installed
Architecture: amd64

Package: nginx
Status: deinstall ok config-files
Architecture: amd64
`

// TestFind looks for programs on that machine, whose list names ruby, openjdk and nginx.
func TestFind(t *testing.T) {
	m := machineForTest(t)
	for what, tc := range map[string]struct{ name, want, wantError string }{
		"of a package that a listed one depends on, by two links": {name: "ruby", want: "/usr/bin/ruby"},
		"by its path":         {name: "/usr/bin/ruby", want: "/usr/bin/ruby"},
		"listed without /usr": {name: "awk", want: "/usr/bin/awk"},
		"an alternative that leads elsewhere: the package's own":     {name: "java", want: "/usr/lib/jvm/openjdk/bin/java"},
		"that alternative by its path":                               {name: "/usr/bin/java", wantError: "no package"},
		"installed by hand":                                          {name: "lynx", wantError: "of the package lynx, which a fresh machine lacks"},
		"of a package that is only recommended":                      {name: "curl", wantError: "of the package curl"},
		"of no package":                                              {name: "acme", wantError: "of no package"},
		"a package's program that was removed, but not its settings": {name: "nginx", wantError: "of no package"},
		"neither here nor there":                                     {name: "redis-server", wantError: "make setup"},
		"neither here nor there, by its path":                        {name: "/usr/bin/redis-server", wantError: "make setup"},
	} {
		got, err := m.find(tc.name)
		if got != tc.want || (err == nil) != (tc.wantError == "") || err != nil && !strings.Contains(err.Error(), tc.wantError) {
			t.Errorf("%s: find(%q) = %q, %v; want %q, %q", what, tc.name, got, err, tc.want, tc.wantError)
		}
	}
}

func machineForTest(t *testing.T) *machine {
	t.Helper()
	root := t.TempDir()
	for path, content := range map[string]string{
		"var/lib/dpkg/status":                  status,
		"var/lib/dpkg/info/mawk.list":          "/.\n/bin\n/bin/mawk\n",
		"var/lib/dpkg/info/ruby.list":          "/.\n/usr/bin/ruby\n",
		"var/lib/dpkg/info/ruby3.1:amd64.list": "/usr/bin/ruby3.1\n",
		"var/lib/dpkg/info/openjdk.list":       "/usr/lib/jvm/openjdk/bin/java\n",
		"var/lib/dpkg/info/lynx.list":          "/usr/bin/lynx\n",
		"var/lib/dpkg/info/curl.list":          "/usr/bin/curl\n",
		"usr/bin/mawk":                         "",
		"usr/bin/ruby3.1":                      "",
		"usr/bin/lynx":                         "",
		"usr/bin/curl":                         "",
		"usr/bin/acme":                         "",
		"usr/sbin/nginx":                       "",
		"usr/lib/jvm/openjdk/bin/java":         "",
		"opt/temurin/bin/java":                 "",
	} {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{
		"bin": "usr/bin", "usr/bin/awk": "mawk", "usr/bin/ruby": "ruby3.1", "usr/bin/java": "../../opt/temurin/bin/java",
	} {
		if err := os.Symlink(to, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	m, err := newMachine(root, []string{"ruby", "openjdk", "nginx"})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestNeed asks for real programs: this machine's, and one that the test made.
func TestNeed(t *testing.T) {
	for _, name := range []string{"sh", "go", "/proc/self/exe", t.TempDir() + "/built", os.Args[0]} {
		Need(t, name)
	}
	for _, name := range []string{"no-such-program", "/opt/no-such-program", "/etc/passwd"} {
		if err := Check(t, name); err == nil {
			t.Errorf("%s is found", name)
		}
	}
	if got := Command(t, "sh", "-c", "true").Args[0]; got != "sh" {
		t.Errorf("sh is called %q", got)
	}
}

// TestPrerequisites holds the README to what the tests take for granted.
func TestPrerequisites(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(moduleRoot(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range Prerequisites {
		if !strings.Contains(string(text), name) {
			t.Errorf("the README does not ask for %s", name)
		}
	}
}
