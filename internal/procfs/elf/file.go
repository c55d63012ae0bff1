package elf

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Limits of what is believed of a file. Real executables stay far below: linkers write about a dozen
// segments and 20 to 60 sections.
const (
	maxSegments = 64
	maxSections = 1024
	maxNames    = 64 << 10 // bytes of the section name table
	maxString   = 4096     // a path, or a symbol's name
)

// ErrNotELF says that a file is not an ELF file that this package can read.
var ErrNotELF = errors.New("not an ELF file")

// File is one opened ELF file. It holds headers only; everything else is read when it is asked for.
// It may be used by several goroutines if its reader may. The zero File answers every question as empty.
type File struct {
	r        io.ReaderAt
	size     uint64
	wide     bool // 64-bit
	order    binary.ByteOrder
	machine  elf.Machine
	entry    uint64
	segments []segment
	sections []section
	dyn      dynamic
}

type segment struct {
	kind    elf.ProgType
	flags   elf.ProgFlag
	off     uint64
	addr    uint64
	inFile  uint64
	inSpace uint64
}

type section struct {
	name string
	kind elf.SectionType
	addr uint64
	off  uint64
	size uint64
}

// header is the part of the ELF header that leads to the two tables.
type header struct {
	segOff, secOff   uint64
	segSize, segNum  uint64
	secSize, secNum  uint64
	nameSectionIndex uint64
	entry            uint64
}

// New reads the headers of an ELF file of the given size.
func New(r io.ReaderAt, size int64) (*File, error) {
	f := &File{r: r, size: uint64(max(size, 0))}
	ident := f.read(0, elf.EI_NIDENT)
	if len(ident) < elf.EI_NIDENT || string(ident[:4]) != elf.ELFMAG {
		return nil, ErrNotELF
	}
	switch elf.Data(ident[elf.EI_DATA]) {
	case elf.ELFDATA2LSB:
		f.order = binary.LittleEndian
	case elf.ELFDATA2MSB:
		f.order = binary.BigEndian
	default:
		return nil, fmt.Errorf("byte order %d: %w", ident[elf.EI_DATA], ErrNotELF)
	}
	f.wide = elf.Class(ident[elf.EI_CLASS]) == elf.ELFCLASS64
	h, ok := f.header()
	if !ok {
		return nil, fmt.Errorf("header cut short: %w", ErrNotELF)
	}
	f.machine, f.entry = elf.Machine(f.u16(f.read(elf.EI_NIDENT+2, 2))), h.entry
	f.readSegments(h)
	f.readSections(h)
	f.readDynamic()
	return f, nil
}

func (f *File) header() (header, bool) {
	if f.wide {
		b := f.read(0, 64)
		if len(b) < 64 {
			return header{}, false
		}
		return header{
			segOff: f.order.Uint64(b[32:]), secOff: f.order.Uint64(b[40:]),
			segSize: f.u16(b[54:]), segNum: f.u16(b[56:]),
			secSize: f.u16(b[58:]), secNum: f.u16(b[60:]), nameSectionIndex: f.u16(b[62:]),
			entry: f.order.Uint64(b[24:]),
		}, true
	}
	b := f.read(0, 52)
	if len(b) < 52 {
		return header{}, false
	}
	return header{
		segOff: f.u32(b[28:]), secOff: f.u32(b[32:]),
		segSize: f.u16(b[42:]), segNum: f.u16(b[44:]),
		secSize: f.u16(b[46:]), secNum: f.u16(b[48:]), nameSectionIndex: f.u16(b[50:]),
		entry: f.u32(b[24:]),
	}, true
}

func (f *File) readSegments(h header) {
	for i := range min(h.segNum, maxSegments) {
		b := f.read(h.segOff+i*h.segSize, int(h.segSize))
		switch {
		case f.wide && len(b) >= 56:
			f.segments = append(f.segments, segment{
				kind: elf.ProgType(f.u32(b)), flags: elf.ProgFlag(f.u32(b[4:])),
				off: f.order.Uint64(b[8:]), addr: f.order.Uint64(b[16:]),
				inFile: f.order.Uint64(b[32:]), inSpace: f.order.Uint64(b[40:]),
			})
		case !f.wide && len(b) >= 32:
			f.segments = append(f.segments, segment{
				kind: elf.ProgType(f.u32(b)), flags: elf.ProgFlag(f.u32(b[24:])),
				off: f.u32(b[4:]), addr: f.u32(b[8:]),
				inFile: f.u32(b[16:]), inSpace: f.u32(b[20:]),
			})
		default:
			return
		}
	}
}

// readSections reads the section table as far as it can be believed; stripped files may have none.
func (f *File) readSections(h header) {
	if h.secOff == 0 || h.secNum > maxSections {
		return
	}
	nameAt := make([]uint64, 0, h.secNum)
	for i := range h.secNum {
		b := f.read(h.secOff+i*h.secSize, int(h.secSize))
		s, ok := f.section(b)
		if !ok {
			break
		}
		f.sections = append(f.sections, s)
		nameAt = append(nameAt, f.u32(b))
	}
	if h.nameSectionIndex >= uint64(len(f.sections)) {
		return
	}
	table := f.sections[h.nameSectionIndex]
	names := f.read(table.off, int(min(table.size, maxNames)))
	for i := range f.sections {
		f.sections[i].name = cString(names, nameAt[i])
	}
}

func (f *File) section(b []byte) (section, bool) {
	switch {
	case f.wide && len(b) >= 64:
		return section{
			kind: elf.SectionType(f.u32(b[4:])), addr: f.order.Uint64(b[16:]), off: f.order.Uint64(b[24:]), size: f.order.Uint64(b[32:]),
		}, true
	case !f.wide && len(b) >= 40:
		return section{kind: elf.SectionType(f.u32(b[4:])), addr: f.u32(b[12:]), off: f.u32(b[16:]), size: f.u32(b[20:])}, true
	}
	return section{}, false
}

// read returns up to n bytes at a file offset; fewer (or none) where the file ends.
func (f *File) read(off uint64, n int) []byte {
	if n <= 0 || off >= f.size {
		return nil
	}
	b := make([]byte, min(uint64(n), f.size-off))
	got, err := f.r.ReadAt(b, int64(off))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil
	}
	return b[:got]
}

func (f *File) u16(b []byte) uint64 { return uint64(f.order.Uint16(b)) }
func (f *File) u32(b []byte) uint64 { return uint64(f.order.Uint32(b)) }

// word reads an address-sized number.
func (f *File) word(b []byte) uint64 {
	if f.wide {
		return f.order.Uint64(b)
	}
	return f.u32(b)
}

func (f *File) wordSize() int {
	if f.wide {
		return 8
	}
	return 4
}
