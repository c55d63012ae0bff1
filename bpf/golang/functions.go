package golang

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
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
	sec := section(bin, ".gopclntab", ".data.rel.ro.gopclntab")
	text := section(bin, ".text")
	if sec == nil || text == nil {
		return nil, errors.New("it has none")
	}
	table, unmap, err := mapSection(f, sec)
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

func section(bin *elf.File, names ...string) *elf.Section {
	for _, name := range names {
		if s := bin.Section(name); s != nil {
			return s
		}
	}
	return nil
}

func mapSection(f *os.File, sec *elf.Section) ([]byte, func(), error) {
	page := uint64(os.Getpagesize())
	start := sec.Offset &^ (page - 1)
	skip := sec.Offset - start
	st, err := f.Stat()
	if err != nil || sec.Offset+sec.FileSize > uint64(st.Size()) || sec.FileSize > 1<<30 {
		return nil, nil, errors.New("it lies outside of the file")
	}
	all, err := unix.Mmap(int(f.Fd()), int64(start), int(sec.FileSize+skip), unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		return nil, nil, fmt.Errorf("mapping it: %w", err)
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
		return nil, errors.New("its format is not known")
	}
	word := func(i int) uint64 { return binary.LittleEndian.Uint64(data[8+8*i:]) }
	count, start, names, funcs := word(0), word(2), word(3), word(7)
	if start == 0 { // since Go 1.26, and in position-independent executables
		start = text
	}
	size := uint64(len(data))
	if names > size || funcs > size || count > size/8 || funcs+count*8+4 > size {
		return nil, errors.New("it is damaged")
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
