package bpf

import (
	"testing"

	"github.com/odi-dev/odi/bpf/probe"
)

func TestProtocolsAreTold(t *testing.T) {
	names, codes := map[string]bool{}, map[probe.Code]bool{}
	for _, p := range Protocols() {
		if p.Name == "" || p.Code == 0 || p.Decode == nil || names[p.Name] || codes[p.Code] {
			t.Errorf("room %+v lacks something, or another has its name or code", p)
		}
		names[p.Name], codes[p.Code] = true, true
	}
}
