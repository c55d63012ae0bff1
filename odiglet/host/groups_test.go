package host

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/odi-dev/odi/languages/language"
	"github.com/odi-dev/odi/odiglet/process"
)

func instance(s *Selector, p process.Process) string {
	o, _ := s.Origin(p, language.Runtime{}, nil)
	return o.Service.Name + " " + o.Service.InstanceID
}

// TestRecycledWorkersAreOneInstance: a prefork server lets its workers go after some
// requests, and forks others, for days.
func TestRecycledWorkersAreOneInstance(t *testing.T) {
	s := New("h", nil, 0)
	exe, args := "/usr/bin/python3", []string{"python3", "/usr/bin/gunicorn", "shop.wsgi"}
	want := instance(s, process.Process{PID: 10, Parent: 1, Start: 100, Exe: exe, Args: args})
	for i := range 3 * maxMembers {
		p := process.Process{PID: 1000 + i%200, Parent: 10, Start: uint64(200 + i), Exe: exe, Args: args}
		if got := instance(s, p); got != want {
			t.Fatalf("worker %d is %s, want %s", i, got, want)
		}
		if p.Parent = 1; instance(s, p) != want { // its parent ended
			t.Fatalf("worker %d left its group", i)
		}
	}
	if n := len(s.groups.young) + len(s.groups.former); n > 2*maxMembers {
		t.Errorf("%d processes are remembered", n)
	}
}

func TestAProgramThatExecsIsNamedAnew(t *testing.T) {
	s := New("h", nil, 0)
	p := process.Process{PID: 10, Parent: 1, Start: 100, Exe: "/bin/sh", Args: []string{"sh", "-c", "exec worker"}}
	if got := instance(s, p); got != "sh h:10:100" {
		t.Errorf("first %s", got)
	}
	p.Exe, p.Args = "/usr/bin/python3", []string{"python3", "worker.py"}
	if got := instance(s, p); got != "worker h:10:100" {
		t.Errorf("then %s", got)
	}
}

// TestNamesComeFromTheProcessesOwnFiles looks at this process.
func TestNamesComeFromTheProcessesOwnFiles(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.WriteFile("args.txt", []byte("-cp . Orders"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("package.json", []byte(`{"name": "@shop/cart"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for i, tc := range []struct {
		exe  string
		args []string
		want string
	}{
		{"/usr/bin/java", []string{"java", "@args.txt"}, "Orders"},
		{"/usr/bin/node", []string{"node", "index.js"}, "cart"},
		{"/usr/bin/java", []string{"java", "@/proc/self/environ"}, "java"},
		{"/usr/bin/java", []string{"java", "@/dev/zero"}, "java"},
	} {
		s := New("h", nil, 0)
		o, _ := s.Origin(process.Process{PID: os.Getpid(), Start: uint64(i), Exe: tc.exe, Args: tc.args}, language.Runtime{}, nil)
		if o.Service.Name != tc.want {
			t.Errorf("%s is named %s, want %s", fmt.Sprint(tc.args), o.Service.Name, tc.want)
		}
	}
}

// TestAProcessHasNothingReadForIt: what it could not read itself is not read for it,
// since the first word would become a name that others see.
func TestAProcessHasNothingReadForIt(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("hunter2"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(secret)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	own, others := uint32(os.Geteuid()), uint32(65534)
	if !mayRead(own, f) || mayRead(others, f) {
		t.Errorf("its owner may read it: %v, others: %v", mayRead(own, f), mayRead(others, f))
	}
	if err := os.Chmod(secret, 0o644); err != nil || !mayRead(others, f) {
		t.Errorf("others may not read what everybody may: %v", err)
	}
}
