package bpf

import (
	"testing"
	"unsafe"

	"github.com/cilium/ebpf/btf"

	"github.com/odi-dev/odi/bpf/tally"
)

// TestLayouts compares what user space writes into maps, and reads out of them,
// with the structs of the programs.
func TestLayouts(t *testing.T) {
	spec, err := newKit(0)
	if err != nil {
		t.Fatal(err)
	}
	var c connValue
	var g targetValue
	tests := map[string]struct {
		of   string
		size uintptr
		at   map[string]uintptr
	}{
		"connections": {of: "conns", size: unsafe.Sizeof(c), at: map[string]uintptr{
			"tgid": unsafe.Offsetof(c.TGID), "want": unsafe.Offsetof(c.Want), "asked": unsafe.Offsetof(c.TakenOut), "out": unsafe.Offsetof(c.Out),
		}},
		"targets": {of: "targets", size: unsafe.Sizeof(g), at: map[string]uintptr{
			"writeloop_pc": unsafe.Offsetof(g.WriteLoopPC), "goid_off": unsafe.Offsetof(g.GoID), "flags": unsafe.Offsetof(g.Flags), "turn": unsafe.Offsetof(g.Turn), "left_out": unsafe.Offsetof(g.LeftOut), "rules": unsafe.Offsetof(g.Rules),
			"open": unsafe.Offsetof(g.Open), "trust": unsafe.Offsetof(g.Trust), "clients": unsafe.Offsetof(g.Clients), "linked": unsafe.Offsetof(g.Linked), "encrypted": unsafe.Offsetof(g.Encrypted), "stream_off": unsafe.Offsetof(g.Stream), "serves": unsafe.Offsetof(g.Serves),
		}},
	}
	if key, place := unsafe.Sizeof(tally.Key{}), unsafe.Sizeof(tally.Place{}); uintptr(spec.Maps["tally_names"].KeySize) != key || uintptr(spec.Maps["tallies"].ValueSize) != place {
		t.Errorf("keys and places of what is counted have %d and %d bytes here, %d and %d in the programs", key, place, spec.Maps["tally_names"].KeySize, spec.Maps["tallies"].ValueSize)
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			m := spec.Maps[tc.of]
			if uintptr(m.ValueSize) != tc.size {
				t.Errorf("%d bytes here, %d in the programs", tc.size, m.ValueSize)
			}
			in, ok := m.Value.(*btf.Struct)
			if !ok {
				t.Fatalf("the value is no struct but %v", m.Value)
			}
			for _, member := range in.Members {
				if want, known := tc.at[member.Name]; known && uintptr(member.Offset.Bytes()) != want {
					t.Errorf("%s is at %d here, at %d in the programs", member.Name, want, member.Offset.Bytes())
				}
				delete(tc.at, member.Name)
			}
			for name := range tc.at {
				t.Errorf("the programs have no %s", name)
			}
		})
	}
}
