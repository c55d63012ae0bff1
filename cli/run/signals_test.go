package run

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/odi-dev/odi/internal/testkit"
	"github.com/odi-dev/odi/internal/testkit/loopback"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// terminal opens a pseudo terminal.
func terminal(t *testing.T) (keyboard, line *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = keyboard.Close() })
	if err := unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(keyboard.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	line, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = line.Close() })
	return keyboard, line
}

// counter is a shell that says how many signals of a name it got, and ends by TERM.
func counter(signal string) string {
	return "n=0; trap 'n=$((n+1)); echo " + signal + " $n.' " + signal + "; trap 'exit 5' TERM; echo armed; while :; do sleep 0.02; done"
}

// TestSignalsComeOnce: the command gets each signal once, whether the terminal, or
// somebody else, sent it to all of the group or to odi alone.
func TestSignalsComeOnce(t *testing.T) {
	testkit.NeedRoot(t)
	for name, tc := range map[string]struct {
		command []string
		signal  string
		send    func(keyboard io.Writer, odi int) error
	}{
		"ctrl-c": {[]string{"sh", "-c", counter("INT")}, "INT", func(keyboard io.Writer, _ int) error {
			_, err := keyboard.Write([]byte{3})
			return err
		}},
		"kill -INT of odi": {[]string{"sh", "-c", counter("INT")}, "INT", func(_ io.Writer, odi int) error {
			return syscall.Kill(odi, syscall.SIGINT)
		}},
		"kill -HUP of odi": {[]string{"sh", "-c", counter("HUP")}, "HUP", func(_ io.Writer, odi int) error {
			return syscall.Kill(odi, syscall.SIGHUP)
		}},
		"kill -INT of the group": {[]string{"sh", "-c", counter("INT")}, "INT", func(_ io.Writer, odi int) error {
			return syscall.Kill(-odi, syscall.SIGINT)
		}},
		"ctrl-c, and the command has left the group": {[]string{"setsid", "sh", "-c", counter("INT")}, "INT", func(keyboard io.Writer, _ int) error {
			_, err := keyboard.Write([]byte{3})
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			keyboard, line := terminal(t)
			o := &odi{t: t, cmd: program.Command(t, os.Args[0], append([]string{"--"}, tc.command...)...), ended: make(chan error, 1)}
			o.cmd.Env = append(o.cmd.Env, roleVariable+"="+roleODI)
			o.cmd.Stdin, o.cmd.Stdout, o.cmd.Stderr = line, &o.out, &o.err
			o.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
			if err := o.cmd.Start(); err != nil {
				t.Fatal(err)
			}
			go func() { o.ended <- o.cmd.Wait() }()
			t.Cleanup(func() { _ = o.cmd.Process.Kill() })
			testkit.Eventually(t, 30*time.Second, "the command is armed", func() bool { return strings.Contains(o.out.String(), "armed") })
			for i := range 3 {
				if err := tc.send(keyboard, o.cmd.Process.Pid); err != nil {
					t.Fatal(err)
				}
				o.prints(fmt.Sprintf(`%s %d\.`, tc.signal, i+1))
				time.Sleep(3 * canaryPatience) // one more would come now
				if strings.Contains(o.out.String(), fmt.Sprintf("%s %d.", tc.signal, i+2)) {
					t.Fatalf("the command got it twice:\n%s", o.out.String())
				}
			}
			if err := o.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if code := o.wait(); code != 5 {
				t.Errorf("exit code %d, want the trap's 5\n%s", code, o.err.String())
			}
			if strings.Contains(o.err.String(), "passing a signal on") {
				t.Errorf("odi complains:\n%s", o.err.String())
			}
		})
	}
}

// TestTheReaderLeaves is `odi run ... | head -1`: the command is ended, and the
// books are printed.
func TestTheReaderLeaves(t *testing.T) {
	testkit.NeedRoot(t)
	address := loopback.Address(t)
	for name, args := range map[string][]string{
		"a tree": {"-o", "tree"},
		"json":   {"-o", "json"},
	} {
		t.Run(name, func(t *testing.T) {
			read, write, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			cmd := program.Command(t, os.Args[0], append(args, "--", os.Args[0], address)...)
			cmd.Env = append(cmd.Env, roleVariable+"="+roleODI, roleVariable+"_CHILD="+roleServer)
			var said bytes.Buffer
			cmd.Stdout, cmd.Stderr = write, &said
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = cmd.Process.Kill() })
			_ = write.Close()
			testkit.Eventually(t, 30*time.Second, "the server listens", func() bool {
				conn, err := net.Dial("tcp", address)
				return err == nil && conn.Close() == nil
			})
			get(t, "http://"+address+"/1")
			if _, err := bufio.NewReader(read).ReadString('\n'); err != nil {
				t.Fatal(err)
			}
			_ = read.Close()
			get(t, "http://"+address+"/2")
			_ = cmd.Wait() // the exit code tells
			if code := cmd.ProcessState.ExitCode(); code != 128+int(syscall.SIGPIPE) {
				t.Errorf("exit code %d, want 141\n%s", code, said.String())
			}
			if !strings.Contains(said.String(), "seen 2 = sent 1 + dropped 1") {
				t.Errorf("no books:\n%s", said.String())
			}
			if conn, err := net.Dial("tcp", address); err == nil {
				_ = conn.Close()
				t.Error("the command is still running")
			}
		})
	}
}
