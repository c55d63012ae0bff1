package bpf

import (
	"fmt"

	"github.com/cilium/ebpf"
)

// Entries counts what a map of the engine holds.
func (e *Engine) Entries(name string) (int, error) {
	m := e.maps[name]
	if m == nil {
		return 0, fmt.Errorf("there is no map %s", name)
	}
	key, value := make([]byte, m.KeySize()), make([]byte, m.ValueSize())
	n, all := 0, m.Iterate()
	for all.Next(&key, &value) {
		n++
	}
	return n, all.Err()
}

// Has tells whether a program was loaded, which a kernel may not know the hook of.
func (e *Engine) Has(program string) bool {
	if program != wakingProgram {
		return e.progs[program] != nil
	}
	<-e.waking.loaded
	e.waking.mu.Lock()
	defer e.waking.mu.Unlock()
	return e.waking.prog != nil
}

// Wakes tells whether the program on sk_data_ready is attached.
func (e *Engine) Wakes() bool {
	e.waking.mu.Lock()
	defer e.waking.mu.Unlock()
	return e.waking.link != nil
}

// SweepSessions takes out what is kept of the sessions of dead processes.
func (e *Engine) SweepSessions() { e.sessions.sweep() }

// SessionEntries counts what the programs for TLS keep, by the map's name.
func (e *Engine) SessionEntries() map[string]int {
	n := map[string]int{}
	count := func(name string, m *ebpf.Map) {
		if m.Type() != ebpf.Hash || m.KeySize() != 8 {
			return
		}
		key, value := make([]byte, m.KeySize()), make([]byte, m.ValueSize())
		n[name] = 0
		for all := m.Iterate(); all.Next(&key, &value); {
			n[name]++
		}
	}
	for name, m := range e.sessions.maps {
		count(name, m)
	}
	return n
}

// InSocketMap tells whether a connection is in the socket map, by its cookie.
func (e *Engine) InSocketMap(cookie uint64) bool {
	var value uint64
	return e.maps["sockets"].Lookup(cookie, &value) == nil
}
