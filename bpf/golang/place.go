package golang

import (
	machine "debug/elf"
	"errors"
	"fmt"
	"os"
	"slices"

	"golang.org/x/arch/x86/x86asm"

	"github.com/odi-dev/odi/internal/procfs/elf"
)

// prologueMax is longer than any prologue; the probe is placed within it.
const prologueMax = 64

// probeOffset chooses the instruction for a probe in the prologue of a function
// and returns its offset in the file. Single-stepping an instruction costs
// 11-16 us, emulating one under 1 us, and until the stack frame stands all
// arguments are in their registers. So: the push after the stack check (which
// does not run twice when the stack grows), else the jump of the check itself.
func probeOffset(f *os.File, bin *elf.File, fn function) (uint64, error) {
	base, ok := bin.CodeOffset(fn.addr)
	if !ok {
		return 0, errors.New("the function lies outside of the executable's code")
	}
	if bin.Machine() != machine.EM_X86_64 {
		return base, nil // arguments are in registers at the entry as well
	}
	code := make([]byte, min(prologueMax, fn.size))
	if _, err := f.ReadAt(code, int64(base)); err != nil {
		return 0, fmt.Errorf("reading the code of the function: %w", err)
	}
	at, err := emulated(code)
	return base + at, err
}

// stackCheck is what the check of the stack is made of, besides its jump.
var stackCheck = []x86asm.Op{x86asm.LEA, x86asm.CMP, x86asm.NOP, x86asm.MOV, x86asm.SUB, x86asm.JB}

// emulated returns the position of the cheapest instruction of a prologue.
func emulated(code []byte) (uint64, error) {
	jump := -1
	for at := 0; at < len(code); {
		inst, err := x86asm.Decode(code[at:], 64)
		if err != nil {
			return 0, errors.New("the code of the function is not understood")
		}
		switch {
		case inst.Op == x86asm.PUSH:
			return uint64(at), nil
		case jump >= 0:
			return uint64(jump), nil
		case inst.Op == x86asm.JBE:
			jump = at
		case !slices.Contains(stackCheck, inst.Op):
			return 0, errors.New("the prologue of the function is not understood")
		}
		at += inst.Len
	}
	return 0, errors.New("the prologue of the function is not understood")
}
