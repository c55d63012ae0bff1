package golang

import (
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// cacheSize is more programs than a node runs at a time.
const cacheSize = 512

// identity is all of what tells a file from another: an inode alone is given to
// another file as soon as the first is gone.
type identity struct {
	dev, inode        uint64
	size              int64
	modified, changed int64
}

func identify(f *os.File) (identity, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return identity{}, err
	}
	return identity{dev: st.Dev, inode: st.Ino, size: st.Size, modified: st.Mtim.Nano(), changed: st.Ctim.Nano()}, nil
}

// cache keeps what was read of binaries. When it is full it forgets everything:
// that is rare, costs milliseconds per program, and needs no bookkeeping.
type cache struct {
	size    int
	mu      sync.Mutex
	entries map[identity]program
}

func newCache(size int) *cache {
	return &cache{size: size, entries: make(map[identity]program)}
}

func (c *cache) get(id identity) (program, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b, ok := c.entries[id]
	return b, ok
}

func (c *cache) put(id identity, b program) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.entries) >= c.size {
		clear(c.entries)
	}
	c.entries[id] = b
}
