package bpf

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cilium/ebpf"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/protocols"
)

// rooms are the programs of the protocols that are apart. They are loaded beside
// everything else: what is attached first sees requests meanwhile.
type rooms struct {
	done   chan struct{} // closed when all are there, or refused
	loaded []*ebpf.Program
}

// apart lists the protocols whose programs are.
func apart() (all []probe.Protocol) {
	for _, p := range protocols.All() {
		if p.Apart {
			all = append(all, p)
		}
	}
	return all
}

// withoutRooms says what a kernel without the two tracepoints lacks.
func withoutRooms() string {
	names := []string{"requests over TLS"}
	for _, p := range apart() {
		names = append(names, p.Name)
	}
	return "not seen: " + strings.Join(names, ", ") + " (needs Linux 6.3 or later)"
}

// AwaitProtocols returns when every protocol is seen, or refused by the kernel, which
// Features says then. The engine works before, for HTTP/1.
func (e *Engine) AwaitProtocols() { <-e.rooms.done }

// loadRooms loads the programs of the protocols that are apart, and has those on the
// two tracepoints go on with them. A kernel that refuses one still has the others.
func (e *Engine) loadRooms(k *kit) {
	defer close(e.rooms.done)
	if e.progs["odi_sent"] == nil {
		return // see withoutRooms
	}
	for _, p := range apart() {
		if e.isClosing() {
			return
		}
		if err := e.loadRoom(k, p); err != nil {
			e.log.Debug("a protocol cannot be had", "protocol", p.Name, "error", err, "verifier", verifierLog(err))
			e.lacks(p.Name + " (" + firstLine(err) + ")")
			continue
		}
		e.loadTurning(k, p)
	}
}

// isClosing says whether Close was called: what takes long is left then.
func (e *Engine) isClosing() bool {
	select {
	case <-e.closing:
		return true
	default:
		return false
	}
}

// lacks says that a protocol is not seen.
func (e *Engine) lacks(protocol string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range e.features {
		f := &e.features[i]
		switch {
		case f.Name != probe.SocketSpans:
		case f.Reason == "":
			f.State, f.Reason = probe.Degraded, "not seen: "+protocol
		default:
			f.Reason += ", " + protocol
		}
	}
}

// loadRoom loads what sees a protocol, and then what writes headers into its requests, if
// there is such a program. Without that one, they go out as they are.
func (e *Engine) loadRoom(k *kit, p probe.Protocol) error {
	err := e.goOnWith(k, p, map[string]string{"sent_rooms": "odi_" + p.Name + "_sent", "received_rooms": "odi_" + p.Name + "_received"})
	writer := "odi_" + p.Name + "_message"
	if err != nil || k.Programs[writer] == nil || e.progs["odi_message"] == nil {
		return err
	}
	if err := e.goOnWith(k, p, map[string]string{"message_rooms": writer}); err != nil {
		e.log.Debug("headers of a protocol cannot be written", "protocol", p.Name, "error", err, "verifier", verifierLog(err))
	}
	return nil
}

// goOnWith loads programs and has others go on with them: names are by the map that says so.
func (e *Engine) goOnWith(k *kit, p probe.Protocol, names map[string]string) error {
	coll, err := k.load(e.maps, slices.Collect(maps.Values(names))...)
	if err != nil {
		return err
	}
	defer coll.Close() // its maps are the engine's once more
	for room, name := range names {
		program := coll.DetachProgram(name)
		e.rooms.loaded = append(e.rooms.loaded, program)
		if err := e.maps[room].Put(uint32(p.Code), program); err != nil {
			return fmt.Errorf("going on with %s: %w", name, err)
		}
	}
	return nil
}

// close takes the programs away.
func (r *rooms) close() {
	for _, p := range r.loaded {
		_ = p.Close() // a descriptor, which cannot fail
	}
}
