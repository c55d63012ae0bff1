package openssl

import (
	"bytes"

	"golang.org/x/arch/x86/x86asm"
)

// place chooses where to probe, given where the exported functions begin. The kernel takes 11 to
// 16 us for an instruction that it has to single-step and under 1 us for one that it emulates, as
// push. So where SSL_read and SSL_read_ex do nothing but call one and the same
// function that begins with one, which takes what SSL_read_ex takes, that one is probed; the
// same for what is written.
func place(entries map[Function]uint64, read code) []Probe {
	probes := []Probe{
		{Function: Handshake, Offset: cheap(entries[Handshake], read), Return: true},
		{Function: Free, Offset: cheap(entries[Free], read)},
	}
	probes = append(probes, pair(entries, Read, ReadEx, ReadEx, read)...)
	// SSL_write_ex2 came together with one more argument of the function behind all three.
	behind := WriteEx
	if entries[WriteEx2] != 0 {
		behind = WriteEx2
	}
	probes = append(probes, pair(entries, Write, WriteEx, behind, read)...)
	if entries[WriteEx2] != 0 && probes[len(probes)-1].Function != WriteEx2 {
		probes = append(probes, Probe{Function: WriteEx2, Offset: cheap(entries[WriteEx2], read), Return: true})
	}
	return probes
}

// pair places one probe for two functions, in the one behind both, or one in each.
func pair(entries map[Function]uint64, plain, ex, behind Function, read code) []Probe {
	if at := behindBoth(entries[plain], entries[ex], behind == WriteEx2, read); at != 0 {
		return []Probe{{Function: behind, Offset: at, Return: true}}
	}
	probes := []Probe{{Function: plain, Offset: cheap(entries[plain], read), Return: true}}
	if entries[ex] != 0 {
		probes = append(probes, Probe{Function: ex, Offset: cheap(entries[ex], read), Return: true})
	}
	return probes
}

// behindBoth returns the place in the function that does what two others do; 0 where there is none, or none
// that costs less. Both have to hand over session, buffer and size as they got them, and where to put how much
// that was: the one what it got, the other an address on its stack.
func behindBoth(plain, ex uint64, flags bool, read code) uint64 {
	if plain == 0 || ex == 0 {
		return 0
	}
	a, fromPlain := firstCall(plain, read)
	b, fromEx := firstCall(ex, read)
	at := cheap(a, read)
	if a == 0 || a != b || !isPush(at, read) {
		return 0
	}
	if !handOver(fromPlain, fromEx, flags) {
		return 0
	}
	return at
}

// handOver tells whether the two call the function behind them with what they got.
func handOver(plain, ex registers, flags bool) bool {
	result := x86asm.RCX
	if flags {
		result = x86asm.R8
		if plain.of(x86asm.RCX) != zero || ex.of(x86asm.RCX) != zero {
			return false
		}
	}
	for _, arg := range []x86asm.Reg{x86asm.RDI, x86asm.RSI, x86asm.RDX} {
		if plain.of(arg) != value(arg) || ex.of(arg) != value(arg) {
			return false
		}
	}
	return plain.of(result) == stack && ex.of(result) == value(x86asm.RCX)
}

// endbr64 marks where indirect calls may lead to; the kernel would single-step it.
var endbr64 = []byte{0xf3, 0x0f, 0x1e, 0xfa}

// cheap skips the mark at the beginning of a function. Arguments and the address
// to return to are behind it where they were before.
func cheap(entry uint64, read code) uint64 {
	if bytes.Equal(read(entry, len(endbr64)), endbr64) {
		return entry + uint64(len(endbr64))
	}
	return entry
}

// isPush tells whether the instruction at an offset is a push of a register.
func isPush(at uint64, read code) bool {
	inst, err := x86asm.Decode(read(at, instMax), 64)
	if err != nil || inst.Op != x86asm.PUSH {
		return false
	}
	_, ok := inst.Args[0].(x86asm.Reg)
	return ok
}

const instMax = 15 // bytes of an instruction
