package elf

import (
	"bytes"
	"debug/elf"
	"encoding/hex"
)

const (
	maxNotes   = 64 << 10
	maxBuildID = 128 // GNU: 20 bytes; Go: 83 characters
	scanChunk  = 256 << 10
)

// Interp returns the path of the program interpreter (the dynamic loader), or "" for a static executable.
func (f *File) Interp() string {
	for _, s := range f.segments {
		if s.kind == elf.PT_INTERP {
			return cString(f.read(s.off, int(min(s.inFile, maxString))), 0)
		}
	}
	return ""
}

// HasSection says whether a section of that name exists.
func (f *File) HasSection(name string) bool {
	_, ok := f.find(name)
	return ok
}

// HasSections says whether the file has any section table; some packers remove it.
func (f *File) HasSections() bool { return len(f.sections) > 1 }

// Section returns up to limit bytes from the start of a section, or nil.
func (f *File) Section(name string, limit int) []byte {
	s, ok := f.find(name)
	if !ok || s.kind == elf.SHT_NOBITS {
		return nil
	}
	return f.read(s.off, int(min(s.size, uint64(max(limit, 0)))))
}

// Data returns up to limit bytes at a virtual address as linked.
func (f *File) Data(addr uint64, limit int) []byte {
	off, room, ok := f.offset(addr)
	if !ok {
		return nil
	}
	return f.read(off, int(min(room, uint64(max(limit, 0)))))
}

// WritableData returns up to limit bytes from the start of each writable segment, one behind the other; each
// starts at a multiple of 16.
func (f *File) WritableData(limit int) []byte {
	var data []byte
	for _, s := range f.segments {
		if s.kind != elf.PT_LOAD || s.flags&elf.PF_W == 0 {
			continue
		}
		data = append(data, make([]byte, -len(data)&15)...)
		data = append(data, f.read(s.off, int(min(s.inFile, uint64(max(limit, 0)))))...)
	}
	return data
}

// BuildID returns the GNU build id in hex, or the build id of the Go linker where there is no other, else "".
func (f *File) BuildID() string {
	// The Go linker leaves its GNU note outside the note segment.
	notes := f.Section(".note.gnu.build-id", maxNotes)
	for _, s := range f.segments {
		if s.kind == elf.PT_NOTE {
			notes = append(notes, f.read(s.off, int(min(s.inFile, maxNotes)))...)
		}
	}
	const gnuBuildID, goBuildID = 3, 4
	if id := f.note(notes, "GNU\x00", gnuBuildID); id != nil {
		return hex.EncodeToString(id)
	}
	return string(f.note(notes, "Go\x00\x00", goBuildID))
}

// note returns the content of the first note of a name and kind, or nil.
func (f *File) note(b []byte, name string, kind uint64) []byte {
	for len(b) >= 12 {
		nameLen, descLen := f.u32(b), f.u32(b[4:])
		nameEnd := 12 + align4(nameLen)
		end := nameEnd + align4(descLen)
		if end > uint64(len(b)) {
			return nil
		}
		if f.u32(b[8:]) == kind && descLen <= maxBuildID && string(b[12:nameEnd]) == name {
			return b[nameEnd : nameEnd+descLen]
		}
		b = b[end:]
	}
	return nil
}

// Find looks for mark in the first limit bytes of read-only data and returns it with up to after bytes that
// follow, or nil.
func (f *File) Find(mark string, after, limit int) []byte {
	return f.FindFunc(mark, after, limit, func([]byte) bool { return true })
}

// FindFunc is Find for a mark that also occurs elsewhere: it goes on until accept agrees.
func (f *File) FindFunc(mark string, after, limit int, accept func(found []byte) bool) []byte {
	if mark == "" {
		return nil
	}
	left := uint64(max(limit, 0))
	for _, region := range f.readOnly() {
		size := min(region.size, left)
		if hit := f.scan(region.off, size, needle{mark: []byte(mark), after: after, accept: accept}); hit != nil {
			return hit
		}
		left -= size
	}
	return nil
}

type needle struct {
	mark   []byte
	after  int
	accept func([]byte) bool
}

// scan reads a region in overlapping pieces, so that a mark on a border is found too.
func (f *File) scan(off, size uint64, n needle) []byte {
	if off >= f.size {
		return nil
	}
	size = min(size, f.size-off)
	buf := make([]byte, min(size, scanChunk+uint64(len(n.mark)+n.after)))
	for done := uint64(0); done < size; done += scanChunk {
		piece := buf[:min(uint64(len(buf)), size-done)]
		got, _ := f.r.ReadAt(piece, int64(off+done))
		piece = piece[:got]
		if hit := n.in(piece); hit != nil {
			return hit
		}
		if got < scanChunk {
			return nil
		}
	}
	return nil
}

func (n needle) in(piece []byte) []byte {
	for at := 0; ; {
		i := bytes.Index(piece[at:], n.mark)
		if i < 0 {
			return nil
		}
		at += i
		if at >= scanChunk {
			return nil // it belongs to the next piece, which has all that follows it
		}
		hit := piece[at:min(at+len(n.mark)+n.after, len(piece))]
		if n.accept(hit) {
			return bytes.Clone(hit)
		}
		at++
	}
}

// readOnly lists where constants live: .rodata, or without sections the segments that cannot be written.
func (f *File) readOnly() []section {
	if s, ok := f.find(".rodata"); ok && s.kind != elf.SHT_NOBITS {
		return []section{s}
	}
	var regions []section
	for _, s := range f.segments {
		if s.kind == elf.PT_LOAD && s.flags&elf.PF_W == 0 {
			regions = append(regions, section{off: s.off, size: s.inFile})
		}
	}
	return regions
}

func (f *File) find(name string) (section, bool) {
	for _, s := range f.sections {
		if s.name == name {
			return s, true
		}
	}
	return section{}, false
}

// offset translates a virtual address to a file offset and the bytes that are left in its segment.
func (f *File) offset(addr uint64) (off, room uint64, ok bool) {
	for _, s := range f.segments {
		if s.kind == elf.PT_LOAD && addr >= s.addr && addr-s.addr < s.inFile {
			return s.off + (addr - s.addr), s.inFile - (addr - s.addr), true
		}
	}
	return 0, 0, false
}

func align4(n uint64) uint64 { return (n + 3) &^ 3 }

// cString returns the text at an index of a table up to its NUL, or "".
func cString(table []byte, at uint64) string {
	if at >= uint64(len(table)) {
		return ""
	}
	text, _, _ := bytes.Cut(table[at:], []byte{0})
	return string(text)
}
