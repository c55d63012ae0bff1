package golang

import (
	"encoding/binary"

	"golang.org/x/arch/x86/x86asm"
)

// offsetMax bounds where a field may be.
const offsetMax = 4096

// callsX86 returns where code at an address calls a function.
func callsX86(code []byte, addr, called uint64) (calls []int) {
	for at := 0; at < len(code); {
		inst, err := x86asm.Decode(code[at:], 64)
		if err != nil {
			return nil
		}
		if callee(inst, addr+uint64(at)) == called {
			calls = append(calls, at)
		}
		at += inst.Len
	}
	return calls
}

// callee returns what an instruction calls, 0: it calls nothing, or what a register says.
func callee(inst x86asm.Inst, at uint64) uint64 {
	by, ok := inst.Args[0].(x86asm.Rel)
	if inst.Op != x86asm.CALL || !ok {
		return 0
	}
	return at + uint64(inst.Len) + uint64(int64(by))
}

// origin is what a register holds: what a function was given as its second argument, or a
// field of it.
type origin struct {
	known bool
	field *Field // nil: the argument itself
}

// load returns what is read from the memory that a register points to.
func (o origin) load(offset int64) origin {
	switch {
	case !o.known || offset < 0 || offset >= offsetMax:
		return origin{}
	case o.field == nil:
		return origin{known: true, field: &Field{Offset: uint16(offset)}}
	case *o.field == Field{}: // what its first word points to
		return origin{known: true, field: &Field{Offset: uint16(offset), Behind: true}}
	}
	return origin{}
}

// key returns the field that a register holds.
func (o origin) key() (Field, bool) {
	if o.field == nil {
		return Field{}, false
	}
	return *o.field, true
}

// noSlot is where on the stack the second argument is before it is known.
const noSlot = -1

// keyX86 returns the field that is the key where a map's entry is deleted, the third argument.
func keyX86(code []byte, addr, mapDelete uint64) (Field, bool) {
	holds, slot := map[x86asm.Reg]origin{x86asm.RBX: {known: true}}, int64(noSlot)
	for at := 0; at < len(code); {
		inst, err := x86asm.Decode(code[at:], 64)
		if err != nil {
			return Field{}, false
		}
		if callee(inst, addr+uint64(at)) == mapDelete {
			return holds[x86asm.RCX].key()
		}
		at += inst.Len
		switch to := inst.Args[0].(type) {
		case x86asm.Mem:
			from, _ := inst.Args[1].(x86asm.Reg)
			if is := holds[from]; inst.Op == x86asm.MOV && to.Base == x86asm.RSP && slot == noSlot && is.known && is.field == nil {
				slot = to.Disp
			}
		case x86asm.Reg:
			holds[whole(to)] = readX86(inst, holds, slot)
		}
	}
	return Field{}, false
}

// readX86 returns what an instruction puts into its register.
func readX86(inst x86asm.Inst, holds map[x86asm.Reg]origin, slot int64) origin {
	if inst.Op != x86asm.MOV {
		return origin{}
	}
	switch from := inst.Args[1].(type) {
	case x86asm.Reg:
		return holds[from]
	case x86asm.Mem:
		if from.Base == x86asm.RSP {
			return origin{known: slot != noSlot && from.Disp == slot}
		}
		if from.Index == 0 {
			return holds[from.Base].load(from.Disp)
		}
	}
	return origin{}
}

// Instructions of arm64 (Arm Architecture Reference Manual, C6.2).
const (
	bl, blBits          = 0x94000000, 0xfc000000 // BL label
	ldrW, ldrBits       = 0xb9400000, 0xffc00000 // LDR Wt, [Xn, #imm*4]
	ldrX                = 0xf9400000             // LDR Xt, [Xn, #imm*8]
	strX                = 0xf9000000             // STR Xt, [Xn, #imm*8]
	secondARM, thirdARM = 1, 2                   // registers of arguments
	stackPointer        = 31
)

// calleeARM returns what the instruction at an address calls, 0: nothing.
func calleeARM(word uint32, at uint64) uint64 {
	if word&blBits != bl {
		return 0
	}
	return at + uint64(int64(word&0x03ffffff)<<38>>36)
}

// callsARM is callsX86 for arm64.
func callsARM(code []byte, addr, called uint64) (calls []int) {
	for at := 0; at+4 <= len(code); at += 4 {
		if calleeARM(binary.LittleEndian.Uint32(code[at:]), addr+uint64(at)) == called {
			calls = append(calls, at)
		}
	}
	return calls
}

// branches are what the instructions have in bits 26 to 28 that go elsewhere, and write no register.
const branches = 5

// keyARM is keyX86 for arm64.
func keyARM(code []byte, addr, mapDelete uint64) (Field, bool) {
	var holds [32]origin
	slot := int64(noSlot)
	holds[secondARM].known = true
	for at := 0; at+4 <= len(code); at += 4 {
		word := binary.LittleEndian.Uint32(code[at:])
		if calleeARM(word, addr+uint64(at)) == mapDelete {
			return holds[thirdARM].key()
		}
		if word>>26&7 == branches {
			continue
		}
		to, base, imm := word&31, word>>5&31, int64(word>>10&0xfff)
		switch word & ldrBits {
		case strX:
			if base == stackPointer && slot == noSlot && holds[to].isReceiver() {
				slot = imm * 8
			}
		case ldrW:
			holds[to] = loadedARM(&holds, base, imm*4, slot)
		case ldrX:
			holds[to] = loadedARM(&holds, base, imm*8, slot)
		default:
			holds[to] = origin{}
		}
	}
	return Field{}, false
}

// isReceiver tells whether it is the value itself that the function was called with.
func (o origin) isReceiver() bool { return o.known && o.field == nil }

// loadedARM is what is loaded from so far behind the address in a register.
func loadedARM(holds *[32]origin, base uint32, behind, slot int64) origin {
	if base == stackPointer {
		return origin{known: slot != noSlot && behind == slot}
	}
	return holds[base].load(behind)
}
