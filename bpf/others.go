package bpf

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"github.com/cilium/ebpf/link"

	"github.com/odi-dev/odi/bpf/guard"
	"github.com/odi-dev/odi/bpf/probe"
)

// socketMap is struct socket_map in propagate/socketmaps.h.
type socketMap struct {
	id            uint32
	name, program string
}

// socketMapSize is what the kernel writes of one.
const socketMapSize = 36

// errOther is a socket map of somebody else's.
type errOther socketMap

// Error is a sentence for users.
func (o errOther) Error() string {
	return fmt.Sprintf("another program of this machine uses socket maps (program %q of map %q, id %d), and a connection takes one such program: nothing is written",
		o.program, o.name, o.id)
}

// foreign finds a map that no odi has made; an odi beside this one may have some, too.
func foreign(all []socketMap) (errOther, bool) {
	for _, m := range all {
		if !strings.HasPrefix(m.program, "odi_") {
			return errOther(m), true
		}
	}
	return errOther{}, false
}

// lookForOthers looks for socket maps of somebody else's before odi fills its own. Where the
// kernel cannot list them nobody is found.
func (e *Engine) lookForOthers(k *kit) error {
	err := e.load(k, "odi_socket_maps")
	if err == nil {
		e.others, err = link.AttachIter(link.IterOptions{Program: e.progs["odi_socket_maps"]})
	}
	if err != nil {
		e.log.Debug("others' socket maps cannot be seen", "error", err, "verifier", verifierLog(err))
		return nil
	}
	e.links = append(e.links, e.others)
	if other, is := foreign(e.socketMaps()); is {
		e.aside.Store(true)
		return other
	}
	return nil
}

// socketMaps lists those of the machine that have programs; none where they cannot be listed.
func (e *Engine) socketMaps() (all []socketMap) {
	if e.others == nil {
		return nil
	}
	list, err := e.others.Open()
	if err != nil {
		return nil
	}
	defer func() { _ = list.Close() }() // read only
	const name, program = 4, 20
	var raw [socketMapSize]byte
	for {
		if _, err := io.ReadFull(list, raw[:]); err != nil {
			return all
		}
		all = append(all, socketMap{binary.NativeEndian.Uint32(raw[:]), text(raw[name:program]), text(raw[program:])})
	}
}

// lookAgainForOthers steps aside once somebody else has a socket map.
func (e *Engine) lookAgainForOthers() {
	if e.leaving == nil || e.aside.Load() {
		return
	}
	if other, is := foreign(e.socketMaps()); is {
		e.stepAside(other)
	}
}

// stepAside takes odi's sockets out of its maps for good.
func (e *Engine) stepAside(other errOther) {
	e.aside.Store(true)
	e.log.Warn("nothing is written into requests any more", "reason", other)
	e.mu.Lock()
	for i := range e.features {
		if f := &e.features[i]; f.Name == probe.Propagation {
			f.State, f.Reason = probe.Unavailable, other.Error()
		}
	}
	e.mu.Unlock()
	if err := e.leaving.order(func(c *guard.Control) { c.Aside = 1 }); err != nil {
		e.log.Error("stepping aside", "error", err)
		return
	}
	if err := e.releaseSockets(everybodys); err != nil {
		e.log.Error("letting connections go", "error", err)
	}
}
