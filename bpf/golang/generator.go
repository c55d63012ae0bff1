package golang

import (
	machine "debug/elf"
	"encoding/binary"
	"os"

	"golang.org/x/arch/x86/x86asm"

	"github.com/odi-dev/odi/internal/procfs/elf"
)

// newprocMax is more than the code of runtime.newproc1.
const newprocMax = 4096

// generatorOf finds the counter that the ids of goroutines come from, runtime.sched.goidgen, as linked. A stripped
// program does not say where its variables are; but this one is the only one that
// runtime.newproc1 adds 16 to, atomically. 0: it is not to be found, or not alone.
func generatorOf(exe *os.File, bin *elf.File, newproc function) uint64 {
	base, ok := bin.CodeOffset(newproc.addr)
	if !ok || newproc.addr == 0 {
		return 0
	}
	code := make([]byte, min(newprocMax, newproc.size))
	if _, err := exe.ReadAt(code, int64(base)); err != nil {
		return 0
	}
	var found map[uint64]bool
	switch bin.Machine() {
	case machine.EM_X86_64:
		found = addedToX86(code, newproc.addr)
	case machine.EM_AARCH64:
		found = addedToARM(code, newproc.addr)
	}
	if len(found) != 1 {
		return 0
	}
	for addr := range found {
		return addr
	}
	return 0
}

// batch is how many ids a P takes at a time (_GoidCacheBatch in runtime/proc.go).
const batch = 16

// addedToX86 finds the variables that 16 is added to as in
//
//	MOVL $0x10, R10; LEAQ runtime.sched(SB), R11; LOCK XADDQ R10, 0(R11)
func addedToX86(code []byte, addr uint64) map[uint64]bool {
	found, known := map[uint64]bool{}, registersX86{address: map[x86asm.Reg]uint64{}, number: map[x86asm.Reg]int64{}}
	for at := 0; at < len(code); {
		inst, err := x86asm.Decode(code[at:], 64)
		if err != nil {
			return nil
		}
		at += inst.Len
		mem, ok := inst.Args[0].(x86asm.Mem)
		by, _ := inst.Args[1].(x86asm.Reg)
		if base, is := known.address[mem.Base]; ok && is && inst.Op == x86asm.XADD && inst.MemBytes == 8 && known.number[by] == batch {
			found[base+uint64(mem.Disp)] = true
		}
		known.follow(inst, addr+uint64(at))
	}
	return found
}

// registersX86 is what is known of registers, each until the next instruction that names it first.
type registersX86 struct {
	address map[x86asm.Reg]uint64
	number  map[x86asm.Reg]int64
}

// follow notes what an instruction leaves in a register; next is the address of the one behind it.
func (r registersX86) follow(inst x86asm.Inst, next uint64) {
	to, ok := inst.Args[0].(x86asm.Reg)
	if !ok {
		return
	}
	to = whole(to)
	delete(r.address, to)
	delete(r.number, to)
	switch from := inst.Args[1].(type) {
	case x86asm.Mem:
		if inst.Op == x86asm.LEA && from.Base == x86asm.RIP {
			r.address[to] = next + uint64(from.Disp)
		}
	case x86asm.Imm:
		if inst.Op == x86asm.MOV {
			r.number[to] = int64(from)
		}
	}
}

// whole is the register of 64 bits whose half has been written: the other half is 0 then.
func whole(r x86asm.Reg) x86asm.Reg {
	if r >= x86asm.EAX && r <= x86asm.R15L {
		return r - x86asm.EAX + x86asm.RAX
	}
	return r
}

// Instructions of arm64 and the bits that tell them (Arm Architecture Reference Manual, C4.1).
const (
	ldaddal, ldaddalBits = 0xf8e00000, 0xffe0fc00 // LDADDAL Xs, Xt, [Xn]
	adrp, adrpBits       = 0x90000000, 0x9f000000 // ADRP Xd, page
	add, addBits         = 0x91000000, 0xffc00000 // ADD Xd, Xn, #imm
	orr16                = 0xb27c03e0             // ORR Xd, XZR, #16
	movz16               = 0xd2800200             // MOVZ Xd, #16
)

// addedToARM finds the variables that 16 is added to as in
//
//	ORR $16, ZR, R8; ADRP page, R9; ADD $low, R9, R9; LDADDALD R8, (R9), R10
//
// It believes a register until the next instruction whose lowest bits name it, as those of most that write one do.
func addedToARM(code []byte, addr uint64) map[uint64]bool {
	found, address, number := map[uint64]bool{}, map[uint32]uint64{}, map[uint32]bool{}
	for at := 0; at+4 <= len(code); at += 4 {
		word := binary.LittleEndian.Uint32(code[at:])
		to, from := word&31, word>>5&31
		base, known := address[from]
		if word&ldaddalBits == ldaddal && known && number[word>>16&31] {
			found[base] = true
		}
		delete(address, to)
		delete(number, to)
		switch {
		case word&adrpBits == adrp:
			pages := int64(word>>5&0x7ffff)<<2 | int64(word>>29&3)
			address[to] = (addr+uint64(at))&^0xfff + uint64(pages<<43>>43)<<12
		case word&addBits == add && known:
			address[to] = base + uint64(word>>10&0xfff)
		case word&^31 == orr16, word&^31 == movz16:
			number[to] = true
		}
	}
	return found
}
