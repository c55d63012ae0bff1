package run

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/internal/testkit"
	"github.com/odi-dev/odi/internal/testkit/program"
)

func TestWhoCalledSudo(t *testing.T) {
	ann := account{name: "ann", home: "/home/ann", groups: []string{"1000", "27"}}
	asAnn := &caller{name: "ann", home: "/home/ann", uid: 1000, gid: 1000, groups: []uint32{1000, 27}}
	const usage = "--as-root"
	tests := map[string]struct {
		env       map[string]string
		notRoot   bool
		find      account
		want      *caller
		wantError string
	}{
		"nobody":                      {},
		"a user":                      {env: map[string]string{"SUDO_UID": "1000", "SUDO_GID": "1000"}, find: ann, want: asAnn},
		"root":                        {env: map[string]string{"SUDO_UID": "0", "SUDO_GID": "0"}},
		"somebody for another user":   {env: map[string]string{"SUDO_UID": "1000", "SUDO_GID": "1000"}, notRoot: true},
		"the group at that time":      {env: map[string]string{"SUDO_UID": "1000", "SUDO_GID": "27"}, find: ann, want: &caller{name: "ann", home: "/home/ann", uid: 1000, gid: 27, groups: []uint32{27, 1000}}},
		"nobody by that number":       {env: map[string]string{"SUDO_UID": "4711", "SUDO_GID": "1000"}, wantError: "SUDO_UID is 4711, which is no user of this machine"},
		"what leaves root as it is":   {env: map[string]string{"SUDO_UID": "4294967295", "SUDO_GID": "1000"}, wantError: `SUDO_UID is "4294967295"`},
		"minus one":                   {env: map[string]string{"SUDO_UID": "-1", "SUDO_GID": "1000"}, wantError: `SUDO_UID is "-1"`},
		"more than there are":         {env: map[string]string{"SUDO_UID": "4294967296", "SUDO_GID": "1000"}, wantError: `SUDO_UID is "4294967296"`},
		"nothing":                     {env: map[string]string{"SUDO_UID": "", "SUDO_GID": "1000"}, wantError: `SUDO_UID is ""`},
		"a name":                      {env: map[string]string{"SUDO_UID": "root", "SUDO_GID": "1000"}, wantError: `SUDO_UID is "root"`},
		"a number and more":           {env: map[string]string{"SUDO_UID": "1000\n0", "SUDO_GID": "1000"}, wantError: `SUDO_UID is "1000\n0"`},
		"a signed zero":               {env: map[string]string{"SUDO_UID": "-0", "SUDO_GID": "1000"}, wantError: `SUDO_UID is "-0"`},
		"hexadecimal":                 {env: map[string]string{"SUDO_UID": "0x3e8", "SUDO_GID": "1000"}, wantError: `SUDO_UID is "0x3e8"`},
		"no group":                    {env: map[string]string{"SUDO_UID": "1000"}, wantError: `SUDO_GID is ""`},
		"a group that leaves root's":  {env: map[string]string{"SUDO_UID": "1000", "SUDO_GID": "4294967295"}, wantError: `SUDO_GID is "4294967295"`},
		"groups that are no numbers":  {env: map[string]string{"SUDO_UID": "1000", "SUDO_GID": "1000"}, find: account{name: "ann", groups: []string{"-1"}}, wantError: `a group of ann is "-1"`},
		"a group of root's by rights": {env: map[string]string{"SUDO_UID": "1000", "SUDO_GID": "0"}, find: account{name: "ann"}, want: &caller{name: "ann", uid: 1000, groups: []uint32{0}}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			euid := 0
			if tc.notRoot {
				euid = 33
			}
			got, err := whoCalledSudo(
				func(name string) (string, bool) { v, ok := tc.env[name]; return v, ok }, euid,
				func(string) (account, error) {
					if tc.find.name == "" {
						return account{}, errors.New("not found")
					}
					return tc.find, nil
				})
			if tc.wantError != "" {
				if exit.Code(err) != exit.Usage || !strings.Contains(err.Error(), tc.wantError) || !strings.Contains(err.Error(), usage) {
					t.Fatalf("got %v, want bad input that says %q and %q", err, tc.wantError, usage)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(caller{})); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// overlayVariable names a folder whose passwd and group this process sees as those of /etc.
const overlayVariable = "ODI_TEST_ETC"

// overlay needs a mount namespace of its own.
func overlay() {
	dir := os.Getenv(overlayVariable)
	if dir == "" {
		return
	}
	os.Unsetenv(overlayVariable)
	for _, name := range []string{"passwd", "group"} {
		if err := unix.Mount(filepath.Join(dir, name), "/etc/"+name, "", unix.MS_BIND, ""); err != nil {
			panic(err)
		}
	}
}

// sudo is what a command sees that ann runs with sudo, whose number is 4711.
func sudo(t *testing.T, env []string, args ...string) *odi {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"passwd": "root:x:0:0:root:/root:/bin/sh\nann:x:4711:4711::/home/ann:/bin/sh\n",
		"group":  "root:x:0:\nann:x:4711:\nsudo:x:4712:ann\nothers:x:4713:bob\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	o := &odi{t: t, cmd: program.Command(t, os.Args[0], args...), ended: make(chan error, 1)}
	o.cmd.Env = append(o.cmd.Env, roleVariable+"="+roleODI, overlayVariable+"="+dir,
		"HOME=/root", "USER=root", "LOGNAME=root", "KEPT=yes")
	o.cmd.Env = append(o.cmd.Env, env...)
	o.cmd.Stdin = strings.NewReader("from stdin\n")
	o.cmd.Stdout, o.cmd.Stderr = &o.out, &o.err
	o.cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	o.cmd.WaitDelay = 5 * time.Second
	if err := o.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { o.ended <- o.cmd.Wait() }()
	t.Cleanup(func() {
		if o.cmd.ProcessState == nil {
			_ = o.cmd.Process.Kill()
			<-o.ended
		}
	})
	return o
}

// whoami prints everything that differs between users, and what must not.
const whoami = `echo $(id -u) $(id -g) $(id -G) $HOME $USER $LOGNAME $KEPT $(grep CapEff /proc/self/status | cut -f 2); cat; echo said >&2`

func TestACommandIsTheCallersOfSudo(t *testing.T) {
	testkit.NeedRoot(t)
	for _, name := range []string{"sh", "id", "grep", "cut", "cat"} {
		program.Need(t, name)
	}
	byAnn := []string{"SUDO_UID=4711", "SUDO_GID=4711", "SUDO_USER=ann"}
	for name, tc := range map[string]struct {
		env  []string
		args []string
		want string
	}{
		"with sudo":          {env: byAnn, want: `^4711 4711 4711 4712 /home/ann ann ann yes 0000000000000000\nfrom stdin\n$`},
		"with --as-root":     {env: byAnn, args: []string{"--as-root"}, want: `^0 0 .*/root root root yes 0{0,9}[0-9a-f]*[1-9a-f][0-9a-f]*\nfrom stdin\n$`},
		"without sudo":       {want: `^0 0 .*/root root root yes `},
		"with sudo, by root": {env: []string{"SUDO_UID=0", "SUDO_GID=0", "SUDO_USER=root"}, want: `^0 0 .*/root root root yes `},
	} {
		t.Run(name, func(t *testing.T) {
			o := sudo(t, tc.env, append(tc.args, "-o", "none", "--", "sh", "-c", whoami)...)
			if code := o.wait(); code != 0 {
				t.Fatalf("exit code %d\n%s", code, o.err.String())
			}
			if got := o.out.String(); !regexp.MustCompile(tc.want).MatchString(got) {
				t.Errorf("got %q, want a match of %s", got, tc.want)
			}
			if !strings.Contains(o.err.String(), "said\n") {
				t.Errorf("its standard error is lost:\n%s", o.err.String())
			}
			if says := strings.Contains(o.err.String(), "as ann, who called sudo"); says != strings.HasPrefix(o.out.String(), "4711") {
				t.Errorf("odi says:\n%s", o.err.String())
			}
		})
	}
	t.Run("its very first request is traced", func(t *testing.T) {
		address, _ := startServer(t, os.Args[0])
		o := sudo(t, append(byAnn, roleVariable+"_CHILD="+roleCaller), "--", named(t, "odi-sudo-caller"), "http://"+address+"/first")
		if code := o.wait(); code != 0 {
			t.Fatalf("exit code %d\n%s", code, o.err.String())
		}
		o.prints(`odi-sudo-caller +client GET ` + regexp.QuoteMeta(address) + `/first +200`)
		o.wantBooks("seen 1 = sent 1 + dropped 0")
	})
	t.Run("signals are passed on", func(t *testing.T) {
		o := sudo(t, byAnn, "--", "sh", "-c", "trap 'exit 9' TERM; echo armed; while :; do sleep 0.05; done")
		o.prints("armed")
		if err := o.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if code := o.wait(); code != 9 {
			t.Errorf("exit code %d, want the trap's 9\n%s", code, o.err.String())
		}
	})
	t.Run("what only root may run is refused", func(t *testing.T) {
		secret := filepath.Join(t.TempDir(), "only-root")
		if err := os.WriteFile(secret, []byte("#!/bin/sh\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		o := sudo(t, byAnn, "--", secret)
		if code := o.wait(); code != exit.Usage || !strings.Contains(o.err.String(), "permission denied") {
			t.Errorf("exit code %d\n%s", code, o.err.String())
		}
	})
	t.Run("a hostile number starts nothing", func(t *testing.T) {
		o := sudo(t, []string{"SUDO_UID=4294967295", "SUDO_GID=4711"}, "--", "sh", "-c", "echo started")
		if code := o.wait(); code != exit.Usage || o.out.String() != "" || !strings.Contains(o.err.String(), `SUDO_UID is "4294967295"`) {
			t.Errorf("exit code %d\n%s%s", code, o.out.String(), o.err.String())
		}
	})
}
