package golang

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/odi-dev/odi/internal/procfs"
	"github.com/odi-dev/odi/internal/procfs/elf"
)

// ErrNotGo means that the executable was not built by the Go toolchain.
var ErrNotGo = errors.New("no Go binary")

// Offsets are places of fields, in bytes, that differ between Go releases.
type Offsets struct {
	GoID            uint16 // runtime.g.goid
	ParentGoID      uint16 // runtime.g.parentGoid
	StartPC         uint16 // runtime.g.startpc
	GM              uint16 // runtime.g.m
	MP              uint16 // runtime.m.p
	MOldP           uint16 // runtime.m.oldp: its p while it is in a system call
	GoIDCache       uint16 // runtime.p.goidcache: the next id; goidcacheend follows
	PersistConnConn uint16 // net/http.persistConn.conn
	NetFDSysfd      uint16 // net.netFD.pfd.Sysfd
	NetFDFamily     uint16 // net.netFD.family; sotype follows
}

// Facts are what is known about one Go process.
type Facts struct {
	Version string
	Offsets Offsets
	// RoundTrip is the file offset for a probe in persistConn.roundTrip; 0 where
	// the binary has no HTTP client.
	RoundTrip uint64
	// Handlers are the places of the probes in servers of HTTP/2, of net/http and golang.org/x/net.
	Handlers []uint64
	// GRPC has the places of the probes in grpc-go.
	GRPC GRPC
	// TLS has the places of the probes in crypto/tls.
	TLS TLS
	// WriteLoopPC is the address of persistConn.writeLoop in the process; 0: none.
	WriteLoopPC uint64
	// GoIDGen is the address of runtime.sched.goidgen in the process; 0: unknown.
	GoIDGen uint64
}

// ErrHidden means that the executable is packed, so nobody can say what runs.
var ErrHidden = errors.New("the executable is packed, which hides whether it is Go")

// Errors of Go binaries that are known to be such.
var (
	ErrNoVersion = errors.New("the binary hides which Go built it")
	ErrNoTable   = errors.New("it has no table of functions")
)

// cacheSize is more programs than a node runs at a time.
const cacheSize = 512

// Inspector reads executables, each once. It may be used by several goroutines.
type Inspector struct{ seen *procfs.FileCache[program] }

// NewInspector returns an inspector that has seen nothing yet.
func NewInspector() *Inspector { return &Inspector{seen: procfs.NewFileCache[program](cacheSize)} }

// Inspect reads the executable of a process, which is open as exe. It returns
// ErrNotGo for other languages; any other error says why goroutines cannot be
// told apart.
func (i *Inspector) Inspect(exe *os.File, pid uint32) (Facts, error) {
	id, err := procfs.Identify(exe)
	if err != nil {
		return Facts{}, fmt.Errorf("reading the executable: %w", err)
	}
	b, known := i.seen.Get(id)
	if !known {
		b = read(exe, id.Size())
		i.seen.Put(id, b)
	}
	if b.err != nil || (b.facts.WriteLoopPC == 0 && b.facts.GoIDGen == 0) {
		return b.facts, b.err
	}
	entry, err := entryOf(pid)
	if err != nil {
		return b.facts, err
	}
	facts, moved := b.facts, entry-b.entry // what the kernel moved the program by
	if facts.WriteLoopPC != 0 {
		facts.WriteLoopPC += moved
	}
	if facts.GoIDGen != 0 {
		facts.GoIDGen += moved
	}
	return facts, nil
}

// program is what a file says of itself, for whatever process runs it.
type program struct {
	facts Facts  // addresses as linked
	entry uint64 // the first instruction, as linked
	err   error
}

func read(exe *os.File, size int64) program {
	bin, err := elf.New(exe, size)
	if err != nil {
		return program{err: ErrNotGo}
	}
	version, isGo := versionOf(bin)
	if !isGo {
		head := make([]byte, upxHead)
		n, _ := exe.ReadAt(head, 0) // short for a short file
		if hides(bin, head[:n]) {
			return program{err: ErrHidden}
		}
		return program{err: ErrNotGo}
	}
	facts, err := factsOf(exe, bin, version)
	return program{facts: facts, entry: bin.Entry(), err: err}
}

func factsOf(exe *os.File, bin *elf.File, version string) (Facts, error) {
	facts := Facts{Version: version}
	var err error
	if facts.Offsets, err = offsetsOf(version); err != nil {
		return facts, err
	}
	symbols, err := findFunctions(exe, bin, slices.Concat([]string{
		"net/http.(*persistConn).roundTrip", "net/http.(*persistConn).writeLoop", "runtime.newproc1",
	}, handlers, grpcFunctions, tlsFunctions)...)
	if err != nil {
		return facts, fmt.Errorf("looking for functions: %w", err)
	}
	roundTrip, writeLoop := symbols[0], symbols[1]
	if roundTrip.addr != 0 && writeLoop.addr != 0 { // else no HTTP client, or not one we know
		if facts.RoundTrip, err = probeOffset(exe, bin, roundTrip); err != nil {
			return facts, err
		}
		facts.WriteLoopPC = writeLoop.addr
	}
	rest := symbols[3:]
	facts.Handlers = handlersOf(exe, bin, rest[:len(handlers)])
	facts.GRPC = grpcOf(exe, bin, rest[len(handlers):][:len(grpcFunctions)])
	facts.TLS = tlsOf(exe, bin, rest[len(handlers)+len(grpcFunctions):])
	if facts.RoundTrip != 0 || facts.GRPC.Put != 0 || facts.GRPC.Handler != 0 || len(facts.Handlers) > 0 {
		facts.GoIDGen = generatorOf(exe, bin, symbols[2])
	}
	return facts, nil
}

// offsetsOf looks a version such as "go1.26.8 X:experiment" up in the table.
func offsetsOf(version string) (Offsets, error) {
	if version == "" {
		return Offsets{}, ErrNoVersion
	}
	number, _, _ := strings.Cut(strings.TrimPrefix(version, "go"), " ")
	parts := strings.Split(number, ".")
	if len(parts) < 2 || parts[0] != "1" {
		return Offsets{}, fmt.Errorf("the layout of %s is not known", version)
	}
	digits := strings.TrimRight(parts[1], "abcdefghijklmnopqrstuvwxyz-")
	digits, _, _ = strings.Cut(digits, "rc")
	minor, err := strconv.Atoi(digits)
	if err != nil {
		return Offsets{}, fmt.Errorf("the layout of %s is not known", version)
	}
	o, ok := offsetsByMinor[minor]
	if !ok {
		return Offsets{}, fmt.Errorf("the layout of %s is not known (1.21 to 1.%d are)", version, newestMinor())
	}
	return o, nil
}

func newestMinor() int {
	newest := 0
	for minor := range offsetsByMinor {
		newest = max(newest, minor)
	}
	return newest
}
