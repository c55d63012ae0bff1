package bpf

import (
	"encoding/binary"
	"errors"

	"github.com/cilium/ebpf"
)

// sweep takes out what is kept of the sessions of processes that are no targets: one that ends does
// not free what its library has of its sessions.
func (s *sessions) sweep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.maps["conns"]
	if s.closed || kept == nil {
		return
	}
	var numbers []uint64
	var number uint64
	value := make([]byte, kept.ValueSize())
	for all := kept.Iterate(); all.Next(&number, &value); {
		tgid := binary.NativeEndian.Uint32(value[s.tgidAt:])
		if err := s.engine.maps["targets"].Lookup(tgid, &targetValue{}); errors.Is(err, ebpf.ErrKeyNotExist) {
			numbers = append(numbers, number)
		}
	}
	for _, number := range numbers {
		for _, m := range s.maps {
			if m.Type() == ebpf.Hash && m.KeySize() == 8 {
				_ = m.Delete(number) // most have nothing of it
			}
		}
	}
}
