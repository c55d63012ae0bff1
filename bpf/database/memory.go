package database

import (
	"strings"
	"sync"
)

// memoryBytes bounds each of the two generations: some thousand statements of usual length.
const memoryBytes = 256 << 10

// memory knows what was said of statements, for programs say the same ones again and again: to read
// one takes ten times what it takes to remember it. What has not come for a generation is
// forgotten. It may be used by several goroutines.
//
// Nothing that a literal said is in it: statements are remembered without.
type memory struct {
	mu          sync.Mutex
	key         []byte // of the statement that is looked for
	young, aged map[string]Statement
	bytes       int // of the keys and statements in young
	limit       int
}

func newMemory(limit int) *memory { return &memory{young: map[string]Statement{}, limit: limit} }

// said are the statements of all rooms.
var said = newMemory(memoryBytes)

// of returns what is said of a statement; read reads one that is not known.
func (m *memory) of(text string, cut bool, in Dialect, read func(string, bool, Dialect) Statement) Statement {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.key = append(append(m.key[:0], in...), ' ')
	if cut {
		m.key[len(m.key)-1] = '+'
	}
	begins := len(m.key)
	m.key = appendWithoutNumbers(m.key, text)
	if s, ok := m.young[string(m.key)]; ok {
		return s
	}
	key := string(m.key)
	s, ok := m.aged[key]
	if !ok {
		s = read(key[begins:], cut, in)
	}
	m.put(key, s)
	return s
}

// put remembers a statement, which may be a part of the key.
func (m *memory) put(key string, s Statement) {
	size := len(key) + len(s.Operation) + len(s.Table) + len(s.Text)
	if m.bytes+size > m.limit {
		m.young, m.aged, m.bytes = make(map[string]Statement, len(m.young)), m.young, 0
	}
	m.young[key] = s
	m.bytes += size
}

// appendWithoutNumbers appends a statement with 0 for each number: what is said of it is the same.
// It leaves alone what could be a part of anything else, and all where something may hide numbers.
func appendWithoutNumbers(b []byte, text string) []byte {
	if mayHide(text) {
		return append(b, text...)
	}
	from := 0 // what is not yet appended
	for i := 0; i < len(text); i++ {
		if !isDigit(text[i]) || i > 0 && strings.IndexByte(" \t\r\n(,=<>", text[i-1]) < 0 {
			continue
		}
		end := numberEnd(text, i)
		octal := text[i] == '0' && end > i+1 && isDigit(text[i+1]) // two numbers to some
		if octal || end < len(text) && strings.IndexByte(" \t\r\n),;", text[end]) < 0 {
			continue
		}
		b = append(append(b, text[from:i]...), '0')
		from, i = end, end
	}
	return append(b, text[from:]...)
}

// mayHide says that what looks like a number may be a part of a name in quotes, or behind a sign that
// is read in several ways.
func mayHide(text string) bool {
	if strings.ContainsAny(text, "\"`#\\") {
		return true
	}
	for i := strings.IndexByte(text, '$'); i >= 0 && i < len(text); i++ {
		if text[i] == '$' && (i+1 == len(text) || !isDigit(text[i+1])) {
			return true
		}
	}
	return false
}

// numberEnd is where the digits that begin at a place end, with those of a fraction.
func numberEnd(text string, at int) int {
	for at < len(text) && isDigit(text[at]) {
		at++
	}
	if at+1 < len(text) && text[at] == '.' && isDigit(text[at+1]) {
		for at++; at < len(text) && isDigit(text[at]); at++ {
		}
	}
	return at
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
