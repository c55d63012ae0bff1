package procfs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// ErrNotRegular says that a path leads to something that is not a regular file.
var ErrNotRegular = errors.New("not a regular file")

// OpenFile opens a regular file as the process sees it. Links are followed inside the process's own root
// and cannot lead out of it, nor through another process's magic links.
func (p *Process) OpenFile(path string) (*os.File, error) {
	f, err := p.openFile(path)
	if err != nil {
		return nil, fmt.Errorf("opening %q of process %d: %w", path, p.pid, err)
	}
	return f, nil
}

// ReadFile reads at most limit bytes from the start of a file; see OpenFile.
func (p *Process) ReadFile(path string, limit int64) ([]byte, error) {
	f, err := p.OpenFile(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, limit))
	if err != nil {
		return nil, fmt.Errorf("reading %q of process %d: %w", path, p.pid, err)
	}
	return b, nil
}

func (p *Process) openFile(path string) (*os.File, error) {
	root, err := unix.Openat(p.fd(), "root", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, gone(err)
	}
	defer func() { _ = unix.Close(root) }()
	// O_PATH first: opening a device or a FIFO for reading would already do something to it.
	found, err := openInRoot(root, path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = unix.Close(found) }()
	var st unix.Stat_t
	if err := unix.Fstat(found, &st); err != nil {
		return nil, err
	}
	var fs unix.Statfs_t
	if err := unix.Fstatfs(found, &fs); err != nil {
		return nil, err
	}
	// What /proc/self leads to is about the one who looks: us.
	if st.Mode&unix.S_IFMT != unix.S_IFREG || fs.Type == unix.PROC_SUPER_MAGIC {
		return nil, ErrNotRegular
	}
	return os.OpenFile("/proc/self/fd/"+strconv.Itoa(found), unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
}

func openInRoot(root int, path string) (int, error) {
	how := unix.OpenHow{
		Flags:   unix.O_PATH | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	}
	// EAGAIN comes when somebody renames directories meanwhile; a container that never stops loses.
	const tries = 8
	var fd int
	var err error
	for range tries {
		fd, err = unix.Openat2(root, path, &how)
		if !errors.Is(err, unix.EAGAIN) {
			break
		}
	}
	return fd, err
}

// maxOpenFiles bounds the descriptors that are looked at, the lowest first.
const maxOpenFiles = 4096

// OpenFiles returns the paths of the files that the process has open, as far as they
// have one, of its lowest descriptors.
func (p *Process) OpenFiles() ([]string, error) {
	dir, err := p.open("fd")
	if err != nil {
		return nil, err
	}
	defer func() { _ = dir.Close() }()
	names, err := dir.Readdirnames(maxOpenFiles)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("listing files of process %d: %w", p.pid, gone(err))
	}
	var files []string
	target := make([]byte, unix.PathMax)
	for _, name := range names {
		n, err := unix.Readlinkat(int(dir.Fd()), name, target)
		if err == nil && n > 0 && target[0] == '/' {
			files = append(files, strings.TrimSuffix(string(target[:n]), deletedMark))
		}
	}
	return files, nil
}
