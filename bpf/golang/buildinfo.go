package golang

import (
	"bytes"
	"encoding/binary"

	"github.com/odi-dev/odi/internal/procfs/elf"
)

// The build information starts with 32 bytes: magic, pointer size, flags. Since
// Go 1.18 the version follows as a string with a varint length; older ones have
// another layout than the offsets know anyway.
const (
	infoMagic   = "\xff Go buildinf:"
	infoHeader  = 32
	flagInline  = 2
	versionMax  = 256
	dataMax     = 2 << 20 // of the data segment, where the section table was removed
	infoFlagsAt = 15
)

// versionOf returns the version of Go that built a file, "" where it is hidden,
// and whether it is a Go binary at all. Nothing is believed that the file claims
// about sizes.
func versionOf(bin *elf.File) (version string, isGo bool) {
	info := bin.Section(".go.buildinfo", infoHeader+versionMax)
	if info == nil && !bin.HasSections() {
		info = search(bin.WritableData(dataMax))
	}
	if len(info) < infoHeader || !bytes.HasPrefix(info, []byte(infoMagic)) {
		return "", hasGoTables(bin)
	}
	size, n := binary.Uvarint(info[infoHeader:])
	text := info[infoHeader+max(n, 0):]
	if info[infoFlagsAt]&flagInline == 0 || n <= 0 || size > uint64(len(text)) {
		return "", true
	}
	return string(text[:size]), true
}

// search finds the information by its magic; the linker aligns it to 16 bytes.
func search(data []byte) []byte {
	for at := 0; at+infoHeader <= len(data); at += 16 {
		if bytes.HasPrefix(data[at:], []byte(infoMagic)) {
			return data[at:min(len(data), at+infoHeader+versionMax)]
		}
	}
	return nil
}

// hasGoTables finds Go binaries whose build information is gone.
func hasGoTables(bin *elf.File) bool {
	return bin.HasSection(".gopclntab") || bin.HasSection(".data.rel.ro.gopclntab") || bin.HasSection(".note.go.buildid")
}

// upxMark is in the header that UPX writes behind the program headers.
const (
	upxMark = "UPX!"
	upxHead = 1024
)

// hides says why a file that does not look like Go may be Go all the same: it
// was packed, and what runs is not what lies in the file. Linkers give every
// program sections, or an interpreter.
func hides(bin *elf.File, head []byte) bool {
	return bytes.Contains(head[:min(len(head), upxHead)], []byte(upxMark)) || bin.Interp() == "" && !bin.HasSections()
}
