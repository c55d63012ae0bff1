package detect

import (
	"sync"

	"github.com/odi-dev/odi/languages/language"
)

// key names what detection would see again: the executable's identity and a hash of all else. Workers of one
// server share it, so 64 of them are detected once.
type key struct {
	executable Executable
	secure     bool
	rest       uint64
}

// cache keeps results. When it is full it forgets everything: that is rare, costs a few milliseconds per
// process seen again, and needs no bookkeeping.
type cache struct {
	mu      sync.Mutex
	size    int
	entries map[key]language.Runtime
}

func newCache(size int) *cache {
	return &cache{size: size, entries: make(map[key]language.Runtime)}
}

func (c *cache) get(k key) (language.Runtime, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	rt, ok := c.entries[k]
	return rt, ok
}

func (c *cache) put(k key, rt language.Runtime) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.entries) >= c.size {
		clear(c.entries)
	}
	c.entries[k] = rt
}
