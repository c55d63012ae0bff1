package procfs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Limits of what is read of one process.
const (
	maxArgs    = 64 << 10
	maxEnviron = 1 << 20  // the kernel allows 6 MiB; real ones have a few KiB
	maxMaps    = 32 << 20 // a JVM with 65,000 mappings has about 6 MiB of text, with its libraries last
	maxSmall   = 16 << 10 // stat, cgroup, auxv
)

// ErrGone says that the process has ended.
var ErrGone = errors.New("process has ended")

// FS is a proc file system.
type FS struct{ root string }

// Host is the proc file system of this pid namespace.
var Host = At("/proc")

// At returns the proc file system that is mounted at root.
func At(root string) FS { return FS{root: root} }

// PIDs lists the processes that exist now, in no stated order.
func (fs FS) PIDs() ([]int, error) {
	dir, err := os.Open(fs.root)
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	defer func() { _ = dir.Close() }()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	var pids []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil && pid > 0 {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// Process is one pinned process. Close it; it may be used by several goroutines until then.
type Process struct {
	pid int
	dir *os.File
}

// Open pins a process. The error is ErrGone if there is none of that pid.
func (fs FS) Open(pid int) (*Process, error) {
	path := fs.root + "/" + strconv.Itoa(pid)
	fd, err := unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("opening process %d: %w", pid, gone(err))
	}
	return &Process{pid: pid, dir: os.NewFile(uintptr(fd), path)}, nil
}

// Close lets go of the process. No method may be called afterwards.
func (p *Process) Close() error { return p.dir.Close() }

// PID is the process id.
func (p *Process) PID() int { return p.pid }

// StartTime is when the process started, in clock ticks since boot. Together with the pid it names one
// process for as long as the machine runs; it survives exec.
func (p *Process) StartTime() (uint64, error) {
	b, err := p.read("stat", maxSmall)
	if err != nil {
		return 0, err
	}
	return parseStartTime(b)
}

// Exe returns the path of the executable as the process sees it. A binary that was replaced or removed
// since is named as it was.
func (p *Process) Exe() (string, error) {
	b := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(p.fd(), "exe", b)
	if err != nil {
		return "", fmt.Errorf("reading executable of process %d: %w", p.pid, gone(err))
	}
	return strings.TrimSuffix(string(b[:n]), deletedMark), nil
}

// OpenExe opens the executable itself, whatever has become of its path.
func (p *Process) OpenExe() (*os.File, error) {
	return p.open("exe")
}

// Args returns the command line. A kernel thread has none.
func (p *Process) Args() ([]string, error) {
	b, err := p.read("cmdline", maxArgs)
	if err != nil {
		return nil, err
	}
	return splitNul(b), nil
}

// Environ returns the environment that the process was started with: the values of the names that keep
// accepts, and "" for the rest, so that secrets are not carried around.
func (p *Process) Environ(keep func(name string) bool) (map[string]string, error) {
	b, err := p.read("environ", maxEnviron)
	if err != nil {
		return nil, err
	}
	return ParseEnviron(b, keep), nil
}

// MappedFiles returns the names of the files that are mapped, sorted, each once.
func (p *Process) MappedFiles() ([]string, error) {
	f, err := p.open("maps")
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return parseMaps(io.LimitReader(f, maxMaps)), nil
}

// Secure says whether the process was started in secure-execution mode (AT_SECURE: set-user-id, file
// capabilities). The dynamic loader then ignores LD_PRELOAD and the like.
func (p *Process) Secure() (bool, error) {
	b, err := p.read("auxv", maxSmall)
	if err != nil {
		return false, err
	}
	return parseSecure(b), nil
}

// Container returns the container that the process runs in; its ID is "" on the host.
func (p *Process) Container() (Container, error) {
	b, err := p.read("cgroup", maxSmall)
	if err != nil {
		return Container{}, err
	}
	return ParseContainer(string(b)), nil
}

func (p *Process) fd() int { return int(p.dir.Fd()) }

// open opens an entry of the process's directory. O_NONBLOCK keeps an executable on an odd file system
// from blocking the open.
func (p *Process) open(name string) (*os.File, error) {
	fd, err := unix.Openat(p.fd(), name, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, fmt.Errorf("opening %s of process %d: %w", name, p.pid, gone(err))
	}
	return os.NewFile(uintptr(fd), name), nil
}

func (p *Process) read(name string, limit int64) ([]byte, error) {
	f, err := p.open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	var b bytes.Buffer
	if _, err := b.ReadFrom(io.LimitReader(f, limit)); err != nil {
		return nil, fmt.Errorf("reading %s of process %d: %w", name, p.pid, gone(err))
	}
	return b.Bytes(), nil
}

// gone gives the kernel's two ways to say that a process has ended one name. ENOENT also comes for the exe
// of a kernel thread or a zombie: nothing runs there either.
func gone(err error) error {
	if errors.Is(err, unix.ESRCH) || errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	return err
}
