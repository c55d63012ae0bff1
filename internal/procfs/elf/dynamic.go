package elf

import "debug/elf"

// Limits of the dynamic section; a large C++ server has about 60 entries.
const (
	maxDynamic = 1024
	maxNeeded  = 256
	maxChain   = 1024 // names that share one hash bucket; linkers aim at 2 to 4
)

// dynamic holds what the loader reads: addresses as linked.
type dynamic struct {
	needed  []uint64 // offsets into strings
	strings uint64
	symbols uint64
	gnuHash uint64
}

// readDynamic reads the dynamic segment, not the section, because that survives every kind of stripping.
func (f *File) readDynamic() {
	for _, s := range f.segments {
		if s.kind != elf.PT_DYNAMIC {
			continue
		}
		entry := 2 * f.wordSize()
		b := f.read(s.off, int(min(s.inFile, uint64(maxDynamic*entry))))
		for ; len(b) >= entry; b = b[entry:] {
			tag, value := elf.DynTag(f.word(b)), f.word(b[f.wordSize():])
			switch tag {
			case elf.DT_NEEDED:
				if len(f.dyn.needed) < maxNeeded {
					f.dyn.needed = append(f.dyn.needed, value)
				}
			case elf.DT_STRTAB:
				f.dyn.strings = value
			case elf.DT_SYMTAB:
				f.dyn.symbols = value
			case elf.DT_GNU_HASH:
				f.dyn.gnuHash = value
			}
		}
		return
	}
}

// Needed lists the sonames of the shared libraries that the file asks for, in its order.
func (f *File) Needed() []string {
	var names []string
	for _, at := range f.dyn.needed {
		if name := f.dynString(at); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// Exports says whether the file exports a symbol of that name. It walks the GNU hash table, a handful of
// small reads, because node alone has 75,000 dynamic symbols.
func (f *File) Exports(name string) bool {
	_, ok := f.exported(name)
	return ok
}

// exported returns the index of an exported symbol.
func (f *File) exported(name string) (uint64, bool) {
	table, ok := f.hashTable()
	if !ok {
		return 0, false
	}
	hash := gnuHash(name)
	index, ok := f.number(table.bucketsAt + 4*(uint64(hash)%table.buckets))
	if !ok || index < table.first {
		return 0, false
	}
	for range maxChain {
		h, ok := f.number(table.bucketsAt + 4*table.buckets + 4*(index-table.first))
		if !ok {
			return 0, false
		}
		if uint32(h)|1 == hash|1 && f.symbolName(index) == name {
			return index, true
		}
		if h&1 == 1 { // the end of the chain
			return 0, false
		}
		index++
	}
	return 0, false
}

// hashTable is a GNU hash table: one bucket per hash, which holds the first symbol of a chain.
type hashTable struct {
	buckets   uint64
	first     uint64 // the first symbol in the table; those before are not exported
	bucketsAt uint64 // the chains follow the buckets
}

func (f *File) hashTable() (hashTable, bool) {
	if f.dyn.gnuHash == 0 || f.dyn.symbols == 0 {
		return hashTable{}, false
	}
	head := f.Data(f.dyn.gnuHash, 16)
	if len(head) < 16 {
		return hashTable{}, false
	}
	bloom := f.u32(head[8:])
	t := hashTable{buckets: f.u32(head), first: f.u32(head[4:]), bucketsAt: f.dyn.gnuHash + 16 + bloom*uint64(f.wordSize())}
	return t, t.buckets != 0
}

// number reads 32 bits at a virtual address.
func (f *File) number(addr uint64) (uint64, bool) {
	b := f.Data(addr, 4)
	if len(b) < 4 {
		return 0, false
	}
	return f.u32(b), true
}

// symbol is the virtual address of an entry of the table of symbols.
func (f *File) symbol(index uint64) uint64 {
	if f.wide {
		return f.dyn.symbols + 24*index
	}
	return f.dyn.symbols + 16*index
}

func (f *File) symbolName(index uint64) string {
	at, ok := f.number(f.symbol(index))
	if !ok {
		return ""
	}
	return f.dynString(at)
}

func (f *File) dynString(at uint64) string {
	return cString(f.Data(f.dyn.strings+at, maxString), 0)
}

// gnuHash is the hash of DT_GNU_HASH.
func gnuHash(name string) uint32 {
	h := uint32(5381)
	for _, c := range []byte(name) {
		h = h*33 + uint32(c)
	}
	return h
}
