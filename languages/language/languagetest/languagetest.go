// Package languagetest builds the processes that tests of language rooms look at.
package languagetest

import (
	"bytes"
	"io/fs"

	"github.com/odi-dev/odi/languages/language"
)

// Binary is an ELF file made of plain values. The zero value is an empty one.
type Binary struct {
	Loader    string
	Libraries []string
	Sections  map[string]string
	Memory    map[uint64]string
	Writable  string
	Symbols   []string
	ReadOnly  string
}

var _ language.Binary = Binary{}

// Interp returns Loader.
func (b Binary) Interp() string { return b.Loader }

// Needed returns Libraries.
func (b Binary) Needed() []string { return b.Libraries }

// HasSections says whether there are any Sections.
func (b Binary) HasSections() bool { return len(b.Sections) > 0 }

// HasSection looks into Sections.
func (b Binary) HasSection(name string) bool {
	_, ok := b.Sections[name]
	return ok
}

// Section reads from Sections.
func (b Binary) Section(name string, limit int) []byte { return cut(b.Sections[name], limit) }

// Data reads from Memory.
func (b Binary) Data(addr uint64, limit int) []byte { return cut(b.Memory[addr], limit) }

// WritableData reads from Writable.
func (b Binary) WritableData(limit int) []byte { return cut(b.Writable, limit) }

// Exports looks into Symbols.
func (b Binary) Exports(symbol string) bool {
	for _, s := range b.Symbols {
		if s == symbol {
			return true
		}
	}
	return false
}

// Find searches ReadOnly.
func (b Binary) Find(mark string, after, limit int) []byte {
	return b.FindFunc(mark, after, limit, func([]byte) bool { return true })
}

// FindFunc searches ReadOnly.
func (b Binary) FindFunc(mark string, after, limit int, accept func([]byte) bool) []byte {
	text := cut(b.ReadOnly, limit)
	for at := 0; ; at++ {
		i := bytes.Index(text[at:], []byte(mark))
		if i < 0 {
			return nil
		}
		at += i
		if hit := text[at:min(at+len(mark)+after, len(text))]; accept(hit) {
			return hit
		}
	}
}

func cut(s string, limit int) []byte {
	if s == "" {
		return nil
	}
	return []byte(s[:min(len(s), limit)])
}

// Files is a file system made of plain values.
type Files struct {
	Text     map[string]string
	Binaries map[string]Binary
}

var _ language.Files = Files{}

// Read reads from Text.
func (f Files) Read(path string, limit int64) ([]byte, error) {
	text, ok := f.Text[path]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return cut(text, int(limit)), nil
}

// Binary opens one of Binaries.
func (f Files) Binary(path string) language.Binary { return f.Binaries[path] }

// Process completes p with an empty executable and empty files where it has none.
func Process(p language.Process) language.Process {
	if p.Binary == nil {
		p.Binary = Binary{}
	}
	if p.Files == nil {
		p.Files = Files{}
	}
	return p
}
