package bpf

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"

	"github.com/odi-dev/odi/bpf/openssl"
	"github.com/odi-dev/odi/bpf/probe"
)

// sessions are the programs on functions of libraries that encrypt (sessions.bpf.c). They
// are loaded when the first target has such a function: who has none pays nothing.
type sessions struct {
	engine *Engine
	finder *openssl.Finder
	probes *sharedProbes

	load   sync.Once
	failed error
	maps   map[string]*ebpf.Map // its own
	progs  map[string]*ebpf.Program
	rooms  []*ebpf.Program
	tgidAt uint32 // where struct session has the process

	mu     sync.Mutex // guards closed, and what loading leaves
	closed bool
}

func newSessions(e *Engine) *sessions {
	return &sessions{
		engine: e, finder: openssl.NewFinder(), probes: newSharedProbes(e.uprobes),
		maps: map[string]*ebpf.Map{}, progs: map[string]*ebpf.Program{},
	}
}

// errClosed says that loading was left when the engine ended.
var errClosed = errors.New("the engine is closed")

// Programs that probes are attached to, or that others go on with.
var sessionPrograms = []string{
	"odi_ssl_enter", "odi_ssl_return", "odi_ssl_free", "odi_session_close", "odi_session_destroyed",
	"odi_gotls_begin", "odi_gotls_write", "odi_gotls_read", "odi_gotls_close",
}

// ready loads the programs, once. What it returns then it returns ever after.
func (s *sessions) ready() error {
	s.load.Do(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.closed {
			s.failed = errClosed
			return
		}
		if s.engine.progs["odi_sent"] == nil {
			s.failed = errors.New("needs Linux 6.3 or later") // said by withoutRooms
			return
		}
		if s.failed = s.loadAll(); s.failed != nil && !errors.Is(s.failed, errClosed) {
			s.engine.log.Warn("requests over TLS are not seen", "reason", firstLine(s.failed))
			s.engine.log.Debug("programs for TLS cannot be had", "error", s.failed, "verifier", verifierLog(s.failed))
			s.engine.lacks("requests over TLS (" + firstLine(s.failed) + ")")
		}
	})
	return s.failed
}

func (s *sessions) loadAll() error {
	spec, err := loadSessions()
	if err != nil {
		return fmt.Errorf("reading the embedded programs: %w", err)
	}
	if s.tgidAt, err = offsetIn(spec.Maps["conns"].Value, "tgid"); err != nil {
		return err
	}
	if err := tellBounds(spec); err != nil {
		return err
	}
	k := &kit{spec, btf.NewCache()}
	all := s.sharedMaps(spec)
	for _, name := range sessionPrograms {
		if err := s.loadProgram(k, all, name); err != nil {
			return err
		}
	}
	for room, name := range map[string]string{"session_close": "odi_session_close", "session_destroyed": "odi_session_destroyed"} {
		if err := s.engine.maps[room].Put(uint32(0), s.progs[name]); err != nil {
			return fmt.Errorf("going on with %s: %w", name, err)
		}
	}
	return s.loadRooms(k, all)
}

// loadProgram loads one: an engine that ends waits for no more. The first one brings the maps along.
func (s *sessions) loadProgram(k *kit, all map[string]*ebpf.Map, program string) error {
	if s.engine.isClosing() {
		return errClosed
	}
	coll, err := k.load(all, program)
	if err != nil {
		return err
	}
	defer coll.Close() // what is not taken out is there once more
	for name := range coll.Maps {
		if all[name] == nil {
			s.maps[name] = coll.DetachMap(name)
			all[name] = s.maps[name]
		}
	}
	s.progs[program] = coll.DetachProgram(program)
	return nil
}

// loadRooms loads the programs of protocols. A kernel that refuses one still has the others.
func (s *sessions) loadRooms(k *kit, all map[string]*ebpf.Map) error {
	for _, p := range apart() {
		if k.Programs["odi_"+p.Name+"_sent"] == nil {
			continue // of sockets alone
		}
		if s.engine.isClosing() {
			return errClosed
		}
		if err := s.loadRoom(k, all, p); err != nil {
			s.engine.log.Debug("a protocol cannot be had over TLS", "protocol", p.Name, "error", err, "verifier", verifierLog(err))
			s.engine.lacks(p.Name + " over TLS (" + firstLine(err) + ")")
		}
	}
	return nil
}

func (s *sessions) loadRoom(k *kit, all map[string]*ebpf.Map, p probe.Protocol) error {
	names := map[string]string{"sent_rooms": "odi_" + p.Name + "_sent", "received_rooms": "odi_" + p.Name + "_received"}
	coll, err := k.load(all, names["sent_rooms"], names["received_rooms"])
	if err != nil {
		return err
	}
	defer coll.Close() // its maps are there once more
	for room, name := range names {
		program := coll.DetachProgram(name)
		s.rooms = append(s.rooms, program)
		if err := s.maps[room].Put(uint32(p.Code), program); err != nil {
			return fmt.Errorf("going on with %s: %w", name, err)
		}
	}
	return nil
}

// offsetIn returns where a struct has a member, in bytes.
func offsetIn(of btf.Type, name string) (uint32, error) {
	if in, ok := of.(*btf.Struct); ok {
		for _, m := range in.Members {
			if m.Name == name {
				return m.Offset.Bytes(), nil
			}
		}
	}
	return 0, fmt.Errorf("the programs have no %s", name)
}

// ownMaps are those that both objects have, each with its own content.
var ownMaps = []string{".rodata", ".data", ".bss", "sent_rooms", "received_rooms", "message_rooms"}

// sharedMaps are the engine's that the programs use, too. What is kept of a connection, and the room
// to look at a call, are kept in another way, so that the kinds of the maps tell them apart.
func (s *sessions) sharedMaps(spec *ebpf.CollectionSpec) map[string]*ebpf.Map {
	shared := map[string]*ebpf.Map{}
	for name, m := range spec.Maps {
		theirs := s.engine.maps[name]
		if theirs != nil && theirs.Type() == m.Type && !slices.Contains(ownMaps, name) {
			m.MaxEntries = theirs.MaxEntries() // the ring's is an option
			shared[name] = theirs
		}
	}
	return shared
}

// close takes the programs away. No probe is attached any more.
func (s *sessions) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	var errs []error
	for _, p := range s.rooms {
		errs = append(errs, p.Close())
	}
	for _, p := range s.progs {
		errs = append(errs, p.Close())
	}
	for _, m := range s.maps {
		errs = append(errs, m.Close())
	}
	return errors.Join(errs...)
}
