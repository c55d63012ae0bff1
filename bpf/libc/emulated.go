package libc

import (
	"bytes"
	"runtime"

	"golang.org/x/arch/x86/x86asm"
)

// prologueMax bounds what is decoded of a function: ioctl has its system call within 70 bytes.
const prologueMax = 192

// endbr64 marks where an indirect call may lead.
var endbr64 = []byte{0xf3, 0x0f, 0x1e, 0xfa}

// emulated returns where in a function a probe costs least: 0, its entry, or the first
// instruction on every way through it that the kernel emulates. Any other one is executed by a
// single step, which takes 20 times as long on virtual machines. The function's second argument
// is still in its register there. That may be behind the system call.
func emulated(code []byte) uint64 {
	if runtime.GOARCH != "amd64" {
		return 0
	}
	at := 0
	if bytes.HasPrefix(code, endbr64) { // the decoder does not know it
		at = len(endbr64)
	}
	for at < len(code) {
		inst, err := x86asm.Decode(code[at:], 64)
		if err != nil {
			return 0
		}
		if isEmulated(inst, code[at]) {
			return uint64(at)
		}
		if !goesOn(inst) {
			return 0
		}
		at += inst.Len
	}
	return 0
}

// isEmulated knows those of arch/x86/kernel/uprobes.c (branch_setup_xol_ops, push_setup_xol_ops)
// without a prefix.
func isEmulated(inst x86asm.Inst, first byte) bool {
	switch {
	case first == 0x90, first == 0xe8, first == 0xe9, first == 0xeb: // nop, call, jmp
		return true
	case first >= 0x50 && first <= 0x57: // push
		return true
	case first >= 0x70 && first <= 0x7f: // jcc
		return true
	}
	return first == 0x0f && inst.Opcode>>24 == 0x0f && (inst.Opcode>>16)&0xf0 == 0x80
}

// goesOn says that the next instruction follows, with the second argument where it was.
func goesOn(inst x86asm.Inst) bool {
	switch inst.Op {
	case x86asm.MOVSXD:
		from, ok := inst.Args[1].(x86asm.Reg)
		return !isSecond(inst.Args[0]) || ok && from == x86asm.ESI // as long as it is
	case x86asm.SYSCALL, x86asm.CMP, x86asm.TEST, x86asm.NOP:
		return true
	case x86asm.SUB, x86asm.ADD, x86asm.MOV, x86asm.XOR, x86asm.LEA, x86asm.AND, x86asm.OR:
		return !isSecond(inst.Args[0])
	}
	return false
}

func isSecond(arg x86asm.Arg) bool {
	reg, _ := arg.(x86asm.Reg)
	return reg == x86asm.RSI || reg == x86asm.ESI || reg == x86asm.SI || reg == x86asm.SIB
}
