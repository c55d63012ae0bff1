package openssl

import (
	"bytes"

	"golang.org/x/arch/x86/x86asm"
)

// value is what a register holds: the number of the register that held it when the function began, or
// one of those below.
type value int

const (
	unknown value = -1 - iota
	zero
	stack // an address on it
)

// registers are those that the function has written.
type registers map[x86asm.Reg]value

func (r registers) of(reg x86asm.Reg) value {
	if v, ok := r[reg]; ok {
		return v
	}
	if reg == x86asm.RSP {
		return stack
	}
	return value(reg)
}

// frontMax bounds what is looked through for a call, in bytes: in Debian's SSL_read, which looks
// at the size before, it comes after 30.
const frontMax = 96

// firstCall returns the offset of the function that another one calls first, and what its registers
// hold then; 0 where it calls none soon, or its code is not understood. Code lies in a
// file as it does in memory, so a relative call leads to the same place in both.
func firstCall(entry uint64, read code) (uint64, registers) {
	text, known := read(entry, frontMax), registers{}
	for at := 0; at < len(text); {
		if bytes.HasPrefix(text[at:], endbr64) {
			at += len(endbr64)
			continue
		}
		inst, err := x86asm.Decode(text[at:], 64)
		if err != nil {
			return 0, nil
		}
		at += inst.Len
		switch inst.Op {
		case x86asm.CALL:
			by, ok := inst.Args[0].(x86asm.Rel)
			if !ok {
				return 0, nil
			}
			return entry + uint64(at) + uint64(int64(by)), known
		case x86asm.RET, x86asm.JMP:
			return 0, nil
		}
		known.follow(inst)
	}
	return 0, nil
}

// follow notes what an instruction leaves in the register that it names first.
func (r registers) follow(inst x86asm.Inst) {
	to, ok := inst.Args[0].(x86asm.Reg)
	if !ok || inst.Op == x86asm.TEST || inst.Op == x86asm.CMP || inst.Op == x86asm.PUSH || to == x86asm.RSP {
		return
	}
	r[whole(to)] = r.left(inst, to)
}

// left is what an instruction leaves in the register.
func (r registers) left(inst x86asm.Inst, to x86asm.Reg) value {
	switch from := inst.Args[1].(type) {
	case x86asm.Reg:
		switch {
		case inst.Op == x86asm.XOR && from == to:
			return zero
		case inst.Op == x86asm.MOV && from == whole(from), inst.Op == x86asm.MOVSXD:
			return r.of(whole(from))
		}
	case x86asm.Mem:
		if inst.Op == x86asm.LEA && r.of(from.Base) == stack {
			return stack
		}
	}
	return unknown
}

// whole is the register of 64 bits whose half is named: writing that makes the other half 0.
func whole(r x86asm.Reg) x86asm.Reg {
	if r >= x86asm.EAX && r <= x86asm.R15L {
		return r - x86asm.EAX + x86asm.RAX
	}
	return r
}
