package bpf

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/odi-dev/odi/bpf/probe"
)

// Want says which programs Processes has to tell of at their start, besides those
// of targets, from now on; before the first call of all. Cgroups that were ignored
// are looked at again. What it does not want is also not told of at its end.
func (e *Engine) Want(w probe.Wanted) error {
	if e.progs["odi_exec"] == nil {
		return nil
	}
	// Everything passes meanwhile: a name too many is no harm.
	if err := e.setNamed(false); err != nil {
		return err
	}
	if err := errors.Join(clearMap[uint64](e.maps["nobodys"]), clearMap[uint64](e.maps["wanted_names"])); err != nil {
		return fmt.Errorf("forgetting what was wanted: %w", err)
	}
	if w.Any {
		return nil
	}
	for _, name := range w.Names {
		err := e.maps["wanted_names"].Put(hashName(name), uint8(1))
		if errors.Is(err, unix.E2BIG) {
			return nil // so many that everything may pass
		}
		if err != nil {
			return fmt.Errorf("wanting programs of the name %s: %w", name, err)
		}
	}
	return e.setNamed(true)
}

// IgnoreCgroup says that no process of a cgroup is wanted, until the next Want.
// id is that of an event.
func (e *Engine) IgnoreCgroup(id uint64) {
	_ = e.maps["nobodys"].Put(id, uint8(1)) // full or closed: its processes are looked at
}

// wantsValue is struct wants in process/wanted.h.
type wantsValue struct {
	Named uint32
	_     uint32
}

func (e *Engine) setNamed(named bool) error {
	var v wantsValue
	if named {
		v.Named = 1
	}
	if err := e.maps["wants"].Put(uint32(0), &v); err != nil {
		return fmt.Errorf("saying which programs are wanted: %w", err)
	}
	return nil
}

// hashName is hash_name in process/wanted.h: FNV-1a of what follows the last slash.
func hashName(name string) uint64 {
	const seed, prime = 0xcbf29ce484222325, 0x100000001b3
	h := uint64(seed)
	for _, c := range []byte(name) {
		if c == '/' {
			h = seed
			continue
		}
		h = (h ^ uint64(c)) * prime
	}
	return h
}

func clearMap[K any](m *ebpf.Map) error {
	var keys []K
	var key K
	var value uint8
	entries := m.Iterate()
	for entries.Next(&key, &value) {
		keys = append(keys, key)
	}
	errs := []error{entries.Err()}
	for _, key := range keys {
		if err := m.Delete(key); err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
