package golang

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/odi-dev/odi/internal/procfs/elf"
)

// function is a function's place in the executable's address space; addr 0: absent.
type function struct {
	addr uint64
	size uint64
}

// pclnMagic is the first word of the function table since Go 1.20.
const pclnMagic = 0xfffffff1

// findFunctions looks functions up in the table that Go keeps for tracebacks,
// which stripping leaves in place. The table is mapped, not read, and nothing
// is built from it: it has up to 100,000 functions.
func findFunctions(f *os.File, bin *elf.File, names ...string) ([]function, error) {
	sec, ok := bin.Region(".gopclntab", ".data.rel.ro.gopclntab")
	text, hasText := bin.Region(".text")
	if !ok || !hasText {
		return nil, ErrNoTable
	}
	table, unmap, err := mapRegion(f, sec)
	if err != nil {
		return nil, err
	}
	defer unmap()
	t, err := parseTable(table, text.Addr)
	if err != nil {
		return nil, err
	}
	found := make([]function, len(names))
	for i, name := range names {
		found[i] = t.find(name)
	}
	return found, nil
}

// tableMax bounds what is mapped; the kubelet's table has 30 MiB.
const tableMax = 1 << 30

func mapRegion(f *os.File, at elf.Region) ([]byte, func(), error) {
	if at.Size == 0 || at.Size > tableMax {
		return nil, nil, errors.New("its table has an odd size")
	}
	skip := at.Offset % uint64(os.Getpagesize())
	all, err := unix.Mmap(int(f.Fd()), int64(at.Offset-skip), int(at.Size+skip), unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		return nil, nil, fmt.Errorf("mapping its table: %w", err)
	}
	return all[skip:], func() { _ = unix.Munmap(all) }, nil
}

// table is the part of the function table that names and places functions.
type table struct {
	count     int
	textStart uint64
	names     []byte
	funcs     []byte // (entry, offset) pairs, both relative
}

// parseTable reads the header: magic, two zeros, quantum, pointer size, then words.
func parseTable(data []byte, text uint64) (*table, error) {
	const header = 8 + 8*8
	if len(data) < header || binary.LittleEndian.Uint32(data) != pclnMagic || data[7] != 8 {
		return nil, errors.New("the format of its table is not known")
	}
	word := func(i int) uint64 { return binary.LittleEndian.Uint64(data[8+8*i:]) }
	count, start, names, funcs := word(0), word(2), word(3), word(7)
	if start == 0 { // since Go 1.26, and in position-independent executables
		start = text
	}
	size := uint64(len(data))
	if names > size || funcs > size || count > size/8 || funcs+count*8+4 > size {
		return nil, errors.New("its table is damaged")
	}
	return &table{count: int(count), textStart: start, names: data[names:], funcs: data[funcs:]}, nil
}

// find scans for the function whose name lies at the name's offset.
func (t *table) find(name string) function {
	at := bytes.Index(t.names, []byte("\x00"+name+"\x00"))
	if at < 0 {
		return function{}
	}
	want := uint32(at + 1)
	for i := range t.count {
		entry := binary.LittleEndian.Uint32(t.funcs[8*i:])
		off := binary.LittleEndian.Uint32(t.funcs[8*i+4:])
		if uint64(off)+8 > uint64(len(t.funcs)) {
			return function{}
		}
		if binary.LittleEndian.Uint32(t.funcs[off+4:]) != want {
			continue
		}
		next := binary.LittleEndian.Uint32(t.funcs[8*i+8:])
		return function{addr: t.textStart + uint64(entry), size: uint64(next - entry)}
	}
	return function{}
}
