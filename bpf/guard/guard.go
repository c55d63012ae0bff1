package guard

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// name is argv[0] and the kernel's name of the process.
const name = "odi-guard"

// File descriptors of the guard.
const (
	lifeline = iota // ends with the parent
	_               // no output
	_
	controlsFD
	walkFD
	_ // the map with the verdict program: held, so that it keeps the program
)

// patience bounds the wait of an orphaned guard. In a container it has less: a
// container runtime that sees the main process end kills the others, after 0.1
// to 0.4 s where it was measured.
const patience = 3 * time.Second

// Guard is a running guard process. It ends by itself once its parent has.
type Guard struct {
	cmd  *exec.Cmd
	life *os.File
	said *bytes.Buffer // why it failed
}

// Start starts a guard for the sockets of the map that walk walks, some of which
// are in the map verdict too. The program must call Main first thing.
func Start(controls, verdict *ebpf.Map, walk *link.Iter) (*Guard, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("starting the guard: %w", err)
	}
	defer read.Close()
	said := &bytes.Buffer{}
	cmd, err := spawn(read, said, controls.FD(), walk.FD(), verdict.FD())
	if err != nil {
		_ = write.Close()
		return nil, fmt.Errorf("starting the guard: %w", err)
	}
	return &Guard{cmd: cmd, life: write, said: said}, nil
}

// spawn starts the process with copies of fds as its descriptors from 3 on.
func spawn(stdin *os.File, stderr io.Writer, fds ...int) (*exec.Cmd, error) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{name}
	cmd.Env = []string{"GOMAXPROCS=1"}
	cmd.Stdin, cmd.Stderr = stdin, stderr
	// A signal to the parent's process group, as a terminal sends it, is not for the guard.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	for _, fd := range fds {
		twin, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return nil, err
		}
		f := os.NewFile(uintptr(twin), name)
		defer f.Close()
		cmd.ExtraFiles = append(cmd.ExtraFiles, f)
	}
	return cmd, cmd.Start()
}

// Close ends the guard and waits until it is gone.
func (g *Guard) Close() error {
	_ = g.life.Close()
	if err := g.cmd.Wait(); err != nil {
		return fmt.Errorf("ending the guard: %w: %s", err, bytes.TrimSpace(g.said.Bytes()))
	}
	return nil
}

// Main does the guard's work and ends the process if it was started as a guard.
// Otherwise it returns at once.
func Main() {
	if os.Args[0] != name {
		return
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func run() error {
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	// What ps shows; without it all guards would be called "exe".
	_ = os.WriteFile("/proc/self/comm", []byte(name), 0)
	controls, err := ebpf.NewMapFromFD(controlsFD)
	if err != nil {
		return err
	}
	l, err := link.NewFromFD(walkFD)
	if err != nil {
		return err
	}
	walk, ok := l.(*link.Iter)
	if !ok {
		return fmt.Errorf("descriptor %d is a %T, not an iterator", walkFD, l)
	}
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	if err := controls.Put(uint32(0), Control{}); err != nil {
		return err
	}
	_, err = Drain(walk, patience)
	return err
}
