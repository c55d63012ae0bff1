package golang

import (
	machine "debug/elf"
	"encoding/binary"
	"os"

	"golang.org/x/arch/x86/x86asm"

	"github.com/odi-dev/odi/internal/procfs/elf"
)

// TLS are file offsets for probes in crypto/tls; all 0 where the binary has not got it, or
// one that was compiled in another way.
type TLS struct {
	Write uint64 // (*Conn).Write: plaintext is in the caller's buffer
	// Read is the call in (*Conn).Read that copies plaintext into the caller's buffer, Slot where
	// the Conn is then: so many bytes above the stack pointer.
	Read  uint64
	Slot  uint16
	Close uint64 // (*Conn).Close
	// Client and Server are where a handshake begins; 0 where the program has none of that side.
	Client, Server uint64
}

// tlsFunctions are, in this order, those that tlsOf takes.
var tlsFunctions = []string{
	"crypto/tls.(*Conn).Write", "crypto/tls.(*Conn).Read", "crypto/tls.(*Conn).Close",
	"crypto/tls.(*Conn).clientHandshake", "crypto/tls.(*Conn).serverHandshake", "runtime.memmove",
}

// tlsOf places all probes, or none.
func tlsOf(exe *os.File, bin *elf.File, found []function) TLS {
	var t TLS
	for i, at := range []*uint64{&t.Write, nil, &t.Close, &t.Client, &t.Server} {
		if at == nil || found[i].addr == 0 {
			continue
		}
		var err error
		if *at, err = probeOffset(exe, bin, found[i]); err != nil {
			return TLS{}
		}
	}
	t.Read, t.Slot = copyIn(exe, bin, found[1], found[5].addr)
	if t.Write == 0 || t.Read == 0 || t.Close == 0 {
		return TLS{}
	}
	return t
}

// readMax is more than the code of (*Conn).Read, which has 900 bytes.
const readMax = 4096

// copyIn finds the one call of memmove in (*Conn).Read, whose second argument is plaintext and the third
// how much that is, and where the function keeps its receiver. The compiler puts bytes.Reader.Read
// into it (seen of Go 1.21 to 1.27); without that, as in builds for debuggers, there is no such call. 0: not found.
func copyIn(exe *os.File, bin *elf.File, read function, memmove uint64) (offset uint64, slot uint16) {
	base, ok := bin.CodeOffset(read.addr)
	if !ok || read.addr == 0 || memmove == 0 {
		return 0, 0
	}
	code := make([]byte, min(readMax, read.size))
	if _, err := exe.ReadAt(code, int64(base)); err != nil {
		return 0, 0
	}
	var at uint64
	switch bin.Machine() {
	case machine.EM_X86_64:
		at, slot = copyInX86(code, memmove-read.addr)
	case machine.EM_AARCH64:
		at, slot = copyInARM(code, memmove-read.addr)
	}
	if at == 0 || slot == 0 {
		return 0, 0
	}
	return base + at, slot
}

// copyInX86 returns the position of the one call of what lies so far from the code's beginning, and
// where above the stack pointer the first argument was put, by
//
//	SUBQ $frame, SP; ...; MOVQ AX, frame+16(SP)
//
// which is its place in every function: above the frame, what was pushed and the return address.
func copyInX86(code []byte, callee uint64) (call uint64, slot uint16) {
	var frame int64
	for at := 0; at < len(code); {
		inst, err := x86asm.Decode(code[at:], 64)
		if err != nil {
			return 0, 0
		}
		next := uint64(at + inst.Len)
		switch {
		case frame == 0 && inst.Op == x86asm.SUB && inst.Args[0] == x86asm.RSP:
			size, _ := inst.Args[1].(x86asm.Imm)
			frame = int64(size)
		case slot == 0 && frame > 0 && keepsFirst(inst, frame+16):
			slot = uint16(frame + 16)
		case calledBy(inst, next) == callee:
			if call != 0 {
				return 0, 0 // which of the two is not sure
			}
			call = uint64(at)
		}
		at = int(next)
	}
	return call, slot
}

// keepsFirst tells whether an instruction puts the first argument so far above the stack pointer.
func keepsFirst(inst x86asm.Inst, above int64) bool {
	to, ok := inst.Args[0].(x86asm.Mem)
	return ok && inst.Op == x86asm.MOV && inst.Args[1] == x86asm.RAX && to.Base == x86asm.RSP && to.Index == 0 && to.Disp == above
}

// calledBy returns what an instruction in front of next calls, 0: nothing.
func calledBy(inst x86asm.Inst, next uint64) uint64 {
	by, ok := inst.Args[0].(x86asm.Rel)
	if !ok || inst.Op != x86asm.CALL {
		return 0
	}
	return next + uint64(int64(by))
}

// Instructions of arm64 and the bits that tell them (Arm Architecture Reference Manual, C4.1).
const (
	str, strBits = 0xf90003e0, 0xffc003ff // STR X0, [SP, #imm]
	strLinked    = 0xf8000ffe             // STR X30, [SP, #-frame]!
	linkedBits   = 0xffe00fff
	subSP        = 0xd10003ff // SUB SP, SP, #frame: Go's prologue uses it, or the one above
)

// copyInARM does the same; there the argument's place is above the frame and one more word.
func copyInARM(code []byte, callee uint64) (call uint64, slot uint16) {
	var frame uint64
	for at := 0; at+4 <= len(code); at += 4 {
		word := binary.LittleEndian.Uint32(code[at:])
		switch {
		case frame == 0 && word&linkedBits == strLinked:
			frame = -uint64(int64(word>>12&0x1ff) << 55 >> 55)
		case frame == 0 && word&0xffc003ff == subSP:
			frame = uint64(word >> 10 & 0xfff)
		case slot == 0 && frame > 0 && keepsFirstARM(word, frame+8):
			slot = uint16(frame + 8)
		case calleeARM(word, uint64(at)) == callee:
			if call != 0 {
				return 0, 0
			}
			call = uint64(at)
		}
	}
	return call, slot
}

// keepsFirstARM is keepsFirst for arm64.
func keepsFirstARM(word uint32, above uint64) bool {
	return word&strBits == str && uint64(word>>10&0xfff)*8 == above
}
