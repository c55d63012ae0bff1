package elf

import "debug/elf"

// Limits of the dynamic section; a large C++ server has about 60 entries.
const (
	maxDynamic = 1024
	maxNeeded  = 256
	maxChain   = 1 << 16 // names that share one hash bucket
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
	if f.dyn.gnuHash == 0 || f.dyn.symbols == 0 {
		return false
	}
	head := f.Data(f.dyn.gnuHash, 16)
	if len(head) < 16 {
		return false
	}
	buckets, first, bloom := f.u32(head), f.u32(head[4:]), f.u32(head[8:])
	if buckets == 0 {
		return false
	}
	hash := gnuHash(name)
	bucketsAt := f.dyn.gnuHash + 16 + bloom*uint64(f.wordSize())
	chainsAt := bucketsAt + 4*buckets
	b := f.Data(bucketsAt+4*(uint64(hash)%buckets), 4)
	if len(b) < 4 {
		return false
	}
	index := f.u32(b)
	if index < first {
		return false
	}
	for range maxChain {
		b := f.Data(chainsAt+4*(index-first), 4)
		if len(b) < 4 {
			return false
		}
		h := uint32(f.u32(b))
		if h|1 == hash|1 && f.symbolName(index) == name {
			return true
		}
		if h&1 == 1 { // the end of the chain
			return false
		}
		index++
	}
	return false
}

func (f *File) symbolName(index uint64) string {
	size := uint64(16)
	if f.wide {
		size = 24
	}
	b := f.Data(f.dyn.symbols+index*size, 4)
	if len(b) < 4 {
		return ""
	}
	return f.dynString(f.u32(b))
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
