package libc

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/odi-dev/odi/internal/procfs"
	"github.com/odi-dev/odi/internal/procfs/elf"
)

const (
	cacheSize  = 256      // libraries; a node has about one per image
	libraryMax = 64 << 20 // bytes of a C library; glibc has 2 MiB
)

func (f *Finder) offsetIn(file *os.File) (procfs.FileIdentity, uint64, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &st); err != nil {
		return procfs.FileIdentity{}, 0, err
	}
	id := procfs.IdentityOf(&st)
	if offset, ok := f.offsets.Get(id); ok {
		return id, offset, nil
	}
	offset, err := offsetOf(file, st, f.function)
	if err == nil {
		f.offsets.Put(id, offset)
	}
	return id, offset, err
}

func offsetOf(file *os.File, st unix.Stat_t, function string) (uint64, error) {
	if st.Mode&unix.S_IFMT != unix.S_IFREG || st.Size > libraryMax {
		return 0, errors.New("not a library")
	}
	bin, err := elf.New(file, st.Size)
	if err != nil {
		return 0, err
	}
	offset, ok := bin.Function(function)
	if !ok {
		return 0, errors.New("no such function")
	}
	code := make([]byte, prologueMax)
	n, err := file.ReadAt(code, int64(offset))
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	return offset + emulated(code[:n]), nil
}
