package golang

import (
	"bytes"
	"encoding/binary"

	"github.com/odi-dev/odi/languages/language"
)

// The build information starts with 32 bytes: magic, pointer size, flags. Since Go 1.18 two strings with
// varint lengths follow: the Go version and the modules. Before, two pointers to Go strings.
const (
	magic       = "\xff Go buildinf:"
	headerSize  = 32
	flagBig     = 1
	flagStrings = 2

	maxInfo    = 256 << 10 // Kubernetes' own module list has 40 KiB
	maxSearch  = 2 << 20   // of the data segment, when the section table was removed
	maxVersion = 256
)

type buildInfo struct {
	goVersion string
	modules   string // lines "dep\tpath\tversion\tsum", between two 16-byte marks
}

func readBuildInfo(b language.Binary) (buildInfo, bool) {
	blob := b.Section(".go.buildinfo", maxInfo)
	if blob == nil && !b.HasSections() {
		blob = search(b.WritableData(maxSearch))
	}
	if len(blob) < headerSize || !bytes.HasPrefix(blob, []byte(magic)) {
		return buildInfo{}, false
	}
	if blob[15]&flagStrings != 0 {
		return inlineStrings(blob[headerSize:]), true
	}
	return pointedStrings(b, blob), true
}

// search finds the information by its magic; the linker aligns it to 16 bytes.
func search(data []byte) []byte {
	for at := 0; at < len(data); {
		i := bytes.Index(data[at:], []byte(magic))
		if i < 0 {
			return nil
		}
		at += i
		if at%16 == 0 {
			return data[at:]
		}
		at++
	}
	return nil
}

func inlineStrings(b []byte) buildInfo {
	goVersion, rest := cutString(b)
	modules, _ := cutString(rest)
	if rest == nil {
		goVersion = "" // half a version would be a wrong one
	}
	return buildInfo{goVersion: goVersion, modules: modules}
}

// cutString takes a string with a varint length. A longer one than there are bytes is cut short, and nothing
// is left behind it.
func cutString(b []byte) (text string, rest []byte) {
	size, n := binary.Uvarint(b)
	if n <= 0 {
		return "", nil
	}
	b = b[n:]
	if size > uint64(len(b)) {
		return string(b), nil
	}
	return string(b[:size]), b[size:]
}

func pointedStrings(b language.Binary, blob []byte) buildInfo {
	word := wordReader{size: int(blob[14]), order: binary.LittleEndian}
	if blob[15]&flagBig != 0 {
		word.order = binary.BigEndian
	}
	if word.size != 4 && word.size != 8 {
		return buildInfo{}
	}
	return buildInfo{
		goVersion: word.goString(b, word.read(blob[16:]), maxVersion),
		modules:   word.goString(b, word.read(blob[16+word.size:]), maxInfo),
	}
}

type wordReader struct {
	size  int
	order binary.ByteOrder
}

func (w wordReader) read(b []byte) uint64 {
	switch {
	case len(b) < w.size:
		return 0
	case w.size == 4:
		return uint64(w.order.Uint32(b))
	}
	return w.order.Uint64(b)
}

// goString follows a pointer to a string header: address and length.
func (w wordReader) goString(b language.Binary, addr uint64, limit int) string {
	header := b.Data(addr, 2*w.size)
	if len(header) < 2*w.size {
		return ""
	}
	size := min(w.read(header[w.size:]), uint64(limit))
	return string(b.Data(w.read(header), int(size)))
}
