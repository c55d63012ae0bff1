package bpf

import (
	"fmt"
	"sync"

	"github.com/cilium/ebpf"
)

// batches is the room for what proxies that forward in batches do. Most machines
// have none, so it is made when the first one is added.
type batches struct {
	mu   sync.Mutex
	room *ebpf.Map
}

// begin makes the room, as outer wants it.
func (b *batches) begin(outer *ebpf.Map, inner *ebpf.MapSpec) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.room != nil {
		return nil
	}
	room, err := ebpf.NewMap(inner)
	if err != nil {
		return fmt.Errorf("making room for proxies: %w", err)
	}
	if err := outer.Put(uint32(0), room); err != nil {
		_ = room.Close()
		return fmt.Errorf("making room for proxies: %w", err)
	}
	b.room = room
	return nil
}

// bytes is its kernel memory.
func (b *batches) bytes() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.room == nil {
		return 0
	}
	info, err := b.room.Info()
	if err != nil {
		return 0
	}
	n, _ := info.Memlock()
	return n
}

func (b *batches) close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.room.Close()
}
