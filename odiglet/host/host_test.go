package host

import (
	"errors"
	"strings"
	"testing"

	"github.com/odi-dev/odi/odiglet/attach"
	"github.com/odi-dev/odi/odiglet/process"
)

func TestSelect(t *testing.T) {
	s := New("h", []string{"nginx"}, 99)
	s.Choose(process.Process{PID: 5, Start: 100})
	for name, tc := range map[string]struct {
		process process.Process
		parent  bool
		want    bool
	}{
		"a chosen pid":                        {process: process.Process{PID: 5, Start: 100, Exe: "/bin/a"}, want: true},
		"another process that got the pid":    {process: process.Process{PID: 5, Start: 101, Exe: "/bin/a"}},
		"a chosen executable":                 {process: process.Process{PID: 7, Exe: "/usr/sbin/nginx"}, want: true},
		"a child of a target":                 {process: process.Process{PID: 8, Exe: "/bin/sh"}, parent: true, want: true},
		"anybody else":                        {process: process.Process{PID: 9, Exe: "/bin/sh"}},
		"odi itself, though a target ran it":  {process: process.Process{PID: 99, Exe: "/bin/odi"}, parent: true},
		"odi itself, though it is called so":  {process: process.Process{PID: 99, Exe: "/usr/sbin/nginx"}},
		"the same name in another upper case": {process: process.Process{PID: 10, Exe: "/usr/sbin/NGINX"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got, want := s.Select(tc.process, tc.parent), (attach.Verdict{Detect: tc.want, Attach: tc.want}); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestMissing(t *testing.T) {
	for effective, want := range map[string]string{
		"000001ffffffffff": "",
		"0000000000000000": "CAP_BPF (to load programs into the kernel), CAP_PERFMON (to attach them), CAP_SYS_PTRACE (to read other users' processes), CAP_NET_ADMIN (to pass on trace context in requests)",
		"000000c000080000": "CAP_NET_ADMIN (to pass on trace context in requests)",
		"garbage":          "",
	} {
		if got := strings.Join(missing(effective), ", "); got != want {
			t.Errorf("missing(%s) = %s, want %s", effective, got, want)
		}
	}
}

func TestReadOfNobody(t *testing.T) {
	if _, err := Read(1 << 30); !errors.Is(err, ErrNoProcess) {
		t.Errorf("got %v, want %v", err, ErrNoProcess)
	}
}
