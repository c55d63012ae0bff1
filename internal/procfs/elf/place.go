package elf

import "debug/elf"

// Machine is the processor that the file is for.
func (f *File) Machine() elf.Machine { return f.machine }

// Entry is the virtual address, as linked, of the first instruction.
func (f *File) Entry() uint64 { return f.entry }

// Region is where a section lies in the file and, as linked, in memory.
type Region struct {
	Offset uint64
	Size   uint64
	Addr   uint64
}

// Region finds the first of the named sections that is in the file as a whole.
func (f *File) Region(names ...string) (Region, bool) {
	for _, name := range names {
		s, ok := f.find(name)
		if ok && s.kind != elf.SHT_NOBITS && s.off <= f.size && s.size <= f.size-s.off {
			return Region{Offset: s.off, Size: s.size, Addr: s.addr}, true
		}
	}
	return Region{}, false
}

// CodeOffset turns the virtual address of an instruction, as linked, into its
// offset in the file.
func (f *File) CodeOffset(addr uint64) (uint64, bool) {
	for _, s := range f.segments {
		if s.kind == elf.PT_LOAD && s.flags&elf.PF_X != 0 && addr >= s.addr && addr-s.addr < s.inFile {
			return s.off + (addr - s.addr), true
		}
	}
	return 0, false
}

// Function returns where an exported function begins: its offset in a 64-bit file.
func (f *File) Function(name string) (offset uint64, ok bool) {
	index, ok := f.exported(name)
	if !ok || !f.wide {
		return 0, false
	}
	// name, info, other, section, value, size
	b := f.Data(f.symbol(index), 16)
	if len(b) < 16 || elf.ST_TYPE(b[4]) != elf.STT_FUNC {
		return 0, false
	}
	return f.CodeOffset(f.order.Uint64(b[8:]))
}
