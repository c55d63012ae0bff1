package golang

import (
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
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
	// WriteLoopPC is the address of persistConn.writeLoop in the process; 0: none.
	WriteLoopPC uint64
}

// Inspect reads the executable of a process. It returns ErrNotGo for other
// languages; any other error says why goroutines cannot be told apart.
func Inspect(exe string, pid uint32) (Facts, error) {
	info, err := buildinfo.ReadFile(exe)
	if err != nil {
		return Facts{}, ErrNotGo
	}
	facts := Facts{Version: info.GoVersion}
	if facts.Offsets, err = offsetsOf(info.GoVersion); err != nil {
		return facts, err
	}
	f, err := os.Open(exe)
	if err != nil {
		return facts, fmt.Errorf("opening the executable: %w", err)
	}
	defer func() { _ = f.Close() }() // read only
	bin, err := elf.NewFile(f)
	if err != nil {
		return facts, fmt.Errorf("reading the executable: %w", err)
	}
	symbols, err := findFunctions(f, bin, "net/http.(*persistConn).roundTrip", "net/http.(*persistConn).writeLoop")
	if err != nil {
		return facts, fmt.Errorf("reading its table of functions: %w", err)
	}
	roundTrip, writeLoop := symbols[0], symbols[1]
	if roundTrip.addr == 0 || writeLoop.addr == 0 {
		return facts, nil // no HTTP client, or not one we know
	}
	if facts.RoundTrip, err = probeOffset(f, bin, roundTrip); err != nil {
		return facts, err
	}
	bias, err := loadBias(bin, pid)
	if err != nil {
		return facts, err
	}
	facts.WriteLoopPC = writeLoop.addr + bias
	return facts, nil
}

// offsetsOf looks a version such as "go1.26.8 X:experiment" up in the table.
func offsetsOf(version string) (Offsets, error) {
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

// loadBias is what a position-independent executable was moved by.
func loadBias(bin *elf.File, pid uint32) (uint64, error) {
	if bin.Type != elf.ET_DYN {
		return 0, nil
	}
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return 0, fmt.Errorf("reading memory maps: %w", err)
	}
	exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	if err != nil {
		return 0, fmt.Errorf("reading the executable's name: %w", err)
	}
	for line := range strings.Lines(string(maps)) {
		fields := strings.Fields(line)
		if len(fields) < 6 || fields[5] != exe || strings.Trim(fields[2], "0") != "" {
			continue
		}
		start, _, _ := strings.Cut(fields[0], "-")
		addr, err := strconv.ParseUint(start, 16, 64)
		return addr - firstLoad(bin), err
	}
	return 0, errors.New("the executable is not in the process's memory maps")
}

func firstLoad(bin *elf.File) uint64 {
	for _, p := range bin.Progs {
		if p.Type == elf.PT_LOAD {
			return p.Vaddr &^ 0xfff
		}
	}
	return 0
}
