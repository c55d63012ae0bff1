package libc

import (
	"errors"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/odi-dev/odi/internal/procfs/elf"
)

const (
	cacheSize  = 256      // libraries; a node has about one per image
	libraryMax = 64 << 20 // bytes of a C library; glibc has 2 MiB
)

// Identity tells a library from every other file, also from one that got its
// inode later.
type Identity struct {
	dev, inode        uint64
	size              int64
	modified, changed int64
}

func (f *Finder) offsetIn(file *os.File) (Identity, uint64, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &st); err != nil {
		return Identity{}, 0, err
	}
	id := Identity{dev: st.Dev, inode: st.Ino, size: st.Size, modified: st.Mtim.Nano(), changed: st.Ctim.Nano()}
	if offset, ok := f.offsets.get(id); ok {
		return id, offset, nil
	}
	offset, err := offsetOf(file, st, f.function)
	if err == nil {
		f.offsets.put(id, offset)
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
	return offset, nil
}

// cache keeps offsets. When it is full it forgets everything: that is rare and
// costs less than a millisecond per library.
type cache struct {
	size    int
	mu      sync.Mutex
	entries map[Identity]uint64
}

func newCache(size int) *cache {
	return &cache{size: size, entries: make(map[Identity]uint64)}
}

func (c *cache) get(id Identity) (uint64, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	offset, ok := c.entries[id]
	return offset, ok
}

func (c *cache) put(id Identity, offset uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.entries) >= c.size {
		clear(c.entries)
	}
	c.entries[id] = offset
}
