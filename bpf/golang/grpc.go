package golang

import (
	machine "debug/elf"
	"os"

	"github.com/odi-dev/odi/internal/procfs/elf"
)

// GRPC are file offsets for probes in the library for gRPC; 0 where the binary has none, or
// not one that is known.
type GRPC struct {
	Put     uint64 // the caller hands over the frame that begins its stream
	Take    uint64 // the goroutine that writes the connection begins with it
	Handler uint64 // a goroutine begins to serve a stream
	Reader  uint64 // a goroutine begins to read a server's connection
	// Stream is where a server's stream has its number.
	Stream Field
}

// Field is where a struct has a field: at Offset, or there behind its first word.
type Field struct {
	Offset uint16
	Behind bool
}

const transport = "google.golang.org/grpc/internal/transport."

// Places in grpcFunctions.
const (
	executeAndPut = iota
	newStream
	clientHeaderHandler // since 1.83
	headerHandler       // before
	handleStream
	handleStreams
	deleteStream
	mapDelete
)

var grpcFunctions = []string{
	executeAndPut:       transport + "(*controlBuffer).executeAndPut",
	newStream:           transport + "(*http2Client).NewStream",
	clientHeaderHandler: transport + "(*loopyWriter).clientHeaderHandler",
	headerHandler:       transport + "(*loopyWriter).headerHandler",
	handleStream:        "google.golang.org/grpc.(*Server).handleStream",
	handleStreams:       transport + "(*http2Server).HandleStreams",
	deleteStream:        transport + "(*http2Server).deleteStream",
	mapDelete:           "runtime.mapdelete_fast32",
}

// grpcOf places the probes of a client, all or none, and those of a server.
func grpcOf(exe *os.File, bin *elf.File, found []function) (g GRPC) {
	take := found[clientHeaderHandler]
	if take.addr == 0 {
		take = found[headerHandler]
	}
	takeAt, ok := placed(exe, bin, take)
	if putAt := callIn(exe, bin, found[newStream], found[executeAndPut]); ok && putAt != 0 {
		g.Put, g.Take = putAt, takeAt
	}
	field, ok := streamNumber(exe, bin, found[deleteStream], found[mapDelete])
	if !ok {
		return g
	}
	g.Stream = field
	g.Handler, _ = placed(exe, bin, found[handleStream])
	g.Reader, _ = placed(exe, bin, found[handleStreams])
	return g
}

// codeMax is more than the functions have that are searched for calls.
const codeMax = 64 << 10

// codeOf reads the code of a function; nil: it cannot be.
func codeOf(exe *os.File, bin *elf.File, fn function) (code []byte, base uint64) {
	base, ok := bin.CodeOffset(fn.addr)
	if !ok || fn.addr == 0 || fn.size > codeMax {
		return nil, 0
	}
	code = make([]byte, fn.size)
	if _, err := exe.ReadAt(code, int64(base)); err != nil {
		return nil, 0
	}
	return code, base
}

// callIn returns the file offset of the call of another function, 0: there is none, or more
// than one. A probe there is emulated, as in a prologue, and the arguments are in registers.
func callIn(exe *os.File, bin *elf.File, fn, called function) uint64 {
	code, base := codeOf(exe, bin, fn)
	if code == nil || called.addr == 0 {
		return 0
	}
	var calls []int
	switch bin.Machine() {
	case machine.EM_X86_64:
		calls = callsX86(code, fn.addr, called.addr)
	case machine.EM_AARCH64:
		calls = callsARM(code, fn.addr, called.addr)
	}
	if len(calls) != 1 {
		return 0
	}
	return base + uint64(calls[0])
}

// streamNumber reads out of the code that takes a stream out of the map of those of a
// connection, by its number, where a stream has it: releases differ.
func streamNumber(exe *os.File, bin *elf.File, fn, mapDelete function) (Field, bool) {
	code, _ := codeOf(exe, bin, fn)
	if code == nil || mapDelete.addr == 0 {
		return Field{}, false
	}
	switch bin.Machine() {
	case machine.EM_X86_64:
		return keyX86(code, fn.addr, mapDelete.addr)
	case machine.EM_AARCH64:
		return keyARM(code, fn.addr, mapDelete.addr)
	}
	return Field{}, false
}
