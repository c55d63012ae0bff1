package process

import (
	"net"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/internal/procfs"
	"github.com/odi-dev/odi/internal/testkit/program"
)

func TestReadMyself(t *testing.T) {
	p, err := Read(procfs.Host, os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if p.PID != os.Getpid() || p.Parent != os.Getppid() || p.Exe != exe || p.Start == 0 || !slices.Equal(p.Args, os.Args) {
		t.Errorf("read %+v", p)
	}
}

func TestReadOneThatEnded(t *testing.T) {
	cmd := program.Command(t, "true")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(procfs.Host, cmd.Process.Pid); err == nil || !strings.Contains(err.Error(), "process has ended") {
		t.Errorf("got %v, want that the process has ended", err)
	}
}

func TestAnswers(t *testing.T) {
	p := Process{Exe: "/usr/bin/python3.13", Args: []string{"/opt/venv/bin/python3", "app.py"}}
	for name, want := range map[string]bool{
		"python3.13": true, "python3": true, "/usr/bin/python3.13": true,
		"python": false, "app.py": false, "/opt/venv/bin/python3": false, "": false,
	} {
		if got := p.Answers(name); got != want {
			t.Errorf("Answers(%q) = %v", name, got)
		}
	}
}

func TestParseListeners(t *testing.T) {
	const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0000000000000000 100 0 0 10 0
   1: 0100007F:1F90 0100007F:D2F0 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0000000000000000 20 4 30 10 -1
   2: 00000000:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0000000000000000 100 0 0 10 0
   3: 00000000:1F90 00000000
`
	if diff := cmp.Diff([]string{"4711"}, parseListeners(strings.NewReader(table), 8080)); diff != "" {
		t.Errorf("inodes (-want +got):\n%s", diff)
	}
}

func TestListenersFindsMe(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	pids, err := Listeners(listener.Addr().(*net.TCPAddr).Port)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(pids, os.Getpid()) {
		t.Errorf("listeners %v do not have me, %d", pids, os.Getpid())
	}
}
