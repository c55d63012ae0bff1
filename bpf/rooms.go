package bpf

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cilium/ebpf"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/protocols"
)

// loadRooms loads the programs of the protocols that are apart, and has those on the
// two tracepoints go on with them. It says which protocols cannot be had, and why: a
// kernel that refuses one still has the others.
func (e *Engine) loadRooms(spec *ebpf.CollectionSpec) (degraded string) {
	var missing []string
	for _, p := range protocols.All() {
		if !p.Apart {
			continue
		}
		if err := e.loadRoom(spec, p); err != nil {
			e.log.Debug("a protocol cannot be had", "protocol", p.Name, "error", err, "verifier", verifierLog(err))
			missing = append(missing, fmt.Sprintf("%s (%s)", p.Name, refusal(err)))
		}
	}
	if len(missing) == 0 {
		return ""
	}
	return "not seen: " + strings.Join(missing, ", ")
}

// refusal says in a few words why the programs of a room cannot be had.
func refusal(err error) string {
	if errors.Is(err, ebpf.ErrNotSupported) {
		return "needs Linux 6.3 or later"
	}
	return firstLine(err)
}

func (e *Engine) loadRoom(spec *ebpf.CollectionSpec, p probe.Protocol) error {
	for _, way := range []string{"sent", "received"} {
		name := fmt.Sprintf("odi_%s_%s", p.Name, way)
		if err := e.load(spec, name); err != nil {
			return err
		}
		if err := e.maps[way+"_rooms"].Put(uint32(p.Code), e.progs[name]); err != nil {
			return fmt.Errorf("going on with %s: %w", name, err)
		}
	}
	return nil
}
