package procfs

import (
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// FileIdentity tells a file from every other, also from one that gets its inode as
// soon as it is gone. It changes when the file does.
type FileIdentity struct {
	dev, inode        uint64
	size              int64
	modified, changed int64
}

// IdentityOf makes the identity of a file from what fstat(2) says of it.
func IdentityOf(st *unix.Stat_t) FileIdentity {
	return FileIdentity{dev: st.Dev, inode: st.Ino, size: st.Size, modified: st.Mtim.Nano(), changed: st.Ctim.Nano()}
}

// Size is the size of the file, in bytes.
func (i FileIdentity) Size() int64 { return i.size }

// Identify returns the identity of an open file.
func Identify(f *os.File) (FileIdentity, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return FileIdentity{}, err
	}
	return IdentityOf(&st), nil
}

// FileCache keeps what was read of files. When it is full it forgets everything:
// that is rare, costs milliseconds per file, and needs no bookkeeping. It may be used
// by several goroutines.
type FileCache[V any] struct {
	size    int
	mu      sync.Mutex
	entries map[FileIdentity]V
}

// NewFileCache returns a cache of at most size files.
func NewFileCache[V any](size int) *FileCache[V] {
	return &FileCache[V]{size: size, entries: make(map[FileIdentity]V)}
}

// Get returns what is known of a file.
func (c *FileCache[V]) Get(id FileIdentity) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, ok := c.entries[id]
	return v, ok
}

// Len is how many files something is known of.
func (c *FileCache[V]) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.entries)
}

// Put keeps what is known of a file.
func (c *FileCache[V]) Put(id FileIdentity, v V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.entries) >= c.size {
		clear(c.entries)
	}
	c.entries[id] = v
}
