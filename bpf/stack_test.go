package bpf

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
)

const (
	stackMax  = 512 // bytes of functions that have called each other (MAX_BPF_STACK)
	frameUnit = 32  // of a frame, which is rounded up; newer kernels round to 16 on amd64
)

// frames is what the functions of a program take of the stack, in bytes, and whom they call.
type frames struct {
	bytes map[string]int
	calls map[string][]string
}

// framesOf reads a program. A function takes what is between its frame pointer, R10, and the lowest
// address that it makes of that.
func framesOf(p *ebpf.ProgramSpec) frames {
	f := frames{bytes: map[string]int{}, calls: map[string][]string{}}
	name, copied := p.Name, map[asm.Register]bool{}
	for _, ins := range p.Instructions {
		if btf.FuncMetadata(&ins) != nil {
			name = ins.Symbol()
		}
		switch {
		case ins.IsFunctionReference():
			f.calls[name] = append(f.calls[name], ins.Reference())
		case ins.OpCode.Class().IsStore() && ins.Dst == asm.R10, ins.OpCode.Class().IsLoad() && ins.Src == asm.R10:
			f.bytes[name] = max(f.bytes[name], -int(ins.Offset))
		case ins.OpCode == asm.Add.Op(asm.ImmSource) && copied[ins.Dst]:
			f.bytes[name] = max(f.bytes[name], -int(ins.Constant))
		}
		copied[ins.Dst] = ins.OpCode == asm.Mov.Op(asm.RegSource) && ins.Src == asm.R10
	}
	return f
}

// deepest returns the calls from a function that take most of the stack together, and how much that is.
func (f frames) deepest(function string) (most int, path string) {
	for _, called := range f.calls[function] {
		if n, below := f.deepest(called); n > most {
			most, path = n, below
		}
	}
	own := (max(f.bytes[function], 1) + frameUnit - 1) / frameUnit * frameUnit
	return own + most, strings.TrimSuffix(fmt.Sprintf("%s (%d) > %s", function, f.bytes[function], path), " > ")
}

// TestStack: kernels round what a function takes of the stack in different ways. Each program has
// to fit where they take most: Linux 6.1 to 6.6 refuse what newer ones take.
func TestStack(t *testing.T) {
	spec, err := newKit(0)
	if err != nil {
		t.Fatal(err)
	}
	overTLS, err := loadSessions()
	if err != nil {
		t.Fatal(err)
	}
	for of, programs := range map[string]*ebpf.CollectionSpec{"": spec.CollectionSpec, "sessions/": overTLS} {
		for name, p := range programs.Programs {
			n, path := framesOf(p).deepest(p.Instructions[0].Symbol())
			t.Logf("%s%s: %d", of, name, n)
			if n > stackMax {
				t.Errorf("%s%s takes %d bytes of stack, at most %d are there: %s", of, name, n, stackMax, path)
			}
		}
	}
}
