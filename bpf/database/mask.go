package database

import "strings"

// masked writes a statement without what its literals and comments say: each literal is '?', each
// comment a blank. The library that takes out literals reads statements as servers read most of
// them; here they are read as servers read all. False: nobody knows where the literals end.
//
// Whether a backslash in quotes takes the next character with it is a setting of the server's
// (standard_conforming_strings, NO_BACKSLASH_ESCAPES) that is not in the statement. Mostly only one
// way makes a statement.
func masked(text string, in Dialect) (plain string, ok bool) {
	if isPlain(text) {
		return text, true
	}
	one := reading{text: text, in: in}
	one.read()
	if !strings.Contains(text, `\`) {
		return one.plain.String(), one.sound
	}
	other := reading{text: text, in: in, escapes: true}
	other.read()
	switch {
	case !one.sound:
		return other.plain.String(), other.sound
	case !other.sound || one.plain.String() == other.plain.String():
		return one.plain.String(), true
	}
	return "", false
}

// isPlain says that a statement has neither quotes nor comments: most have parameters ($1) in their place.
func isPlain(text string) bool {
	for i := range len(text) {
		var next byte
		if i+1 < len(text) {
			next = text[i+1]
		}
		switch text[i] {
		case '\'', '"', '`', '#', '\\':
			return false
		case '$':
			if !isDigit(next) {
				return false
			}
		case '-', '/':
			if next == '-' || next == '*' {
				return false
			}
		}
	}
	return true
}

// literal stands for one.
const literal = "'?'"

// reading reads a statement in one way.
type reading struct {
	text string
	in   Dialect
	// escapes says that a backslash in quotes takes the next character with it.
	escapes bool

	plain strings.Builder
	at    int
	// sound says that all quotes and comments have an end, and that no backslash is outside them:
	// servers take no other statement.
	sound bool
}

func (r *reading) read() {
	r.sound = true
	for r.at < len(r.text) {
		rest := r.text[r.at:]
		if r.passed(rest) {
			continue
		}
		r.sound = r.sound && rest[0] != '\\'
		r.plain.WriteByte(rest[0])
		r.at++
	}
}

// passed passes quotes and dollars; comments are for passedComment.
func (r *reading) passed(rest string) bool {
	switch c := rest[0]; {
	case c == '\'', c == '"' && r.in == MySQL:
		r.quoted(c, r.escapes || c == '\'' && r.isMarked("eE"))
	case c == '"', c == '`' && r.in == MySQL:
		r.name(c)
	case c == '$' && r.in == Postgres:
		return r.dollar(rest)
	default:
		return r.passedComment(rest)
	}
	return true
}

// passedComment passes a comment, and what only looks like one.
func (r *reading) passedComment(rest string) bool {
	switch {
	case strings.HasPrefix(rest, "/*"):
		r.comment(rest)
	case strings.HasPrefix(rest, "--") && r.isLineComment(rest), rest[0] == '#' && r.in == MySQL:
		line, _, _ := strings.Cut(rest, "\n")
		r.at += len(line)
		r.plain.WriteByte(' ')
	case strings.HasPrefix(rest, "--"):
		r.plain.WriteString("- - ")
		r.at += 2
	default:
		return false
	}
	return true
}

// isLineComment: to MySQL, two signs in front of something else are just that.
func (r *reading) isLineComment(rest string) bool {
	return r.in != MySQL || len(rest) == 2 || rest[2] <= ' '
}

// isMarked says whether one of these letters stands alone in front of the quotes: E'...'.
func (r *reading) isMarked(letters string) bool {
	if r.in != Postgres || r.at == 0 || !strings.ContainsRune(letters, rune(r.text[r.at-1])) {
		return false
	}
	return r.at == 1 || !isNamePart(r.text[r.at-2])
}

// quoted passes a literal. Its quotes within are doubled, which reads as another one.
func (r *reading) quoted(quote byte, escapes bool) {
	r.plain.WriteString(literal)
	for r.at++; r.at < len(r.text); r.at++ {
		switch c := r.text[r.at]; {
		case c == '\\' && escapes:
			r.at++
		case c == quote && strings.HasPrefix(r.text[r.at+1:], string(quote)):
			r.at++
		case c == quote:
			r.at++
			return
		}
	}
	r.sound = false
}

// name passes a quoted name, which is shown.
func (r *reading) name(quote byte) {
	end := strings.IndexByte(r.text[r.at+1:], quote)
	if end < 0 {
		r.at, r.sound = len(r.text), false
		return
	}
	// A quote of another kind within would be one to whoever reads on.
	name := r.text[r.at : r.at+end+2]
	r.at += len(name)
	inside := strings.Map(func(c rune) rune {
		if c == '\'' || c == '"' || c == '`' || c == '\\' {
			return '_'
		}
		return c
	}, name[1:len(name)-1])
	r.plain.WriteString(string(quote) + inside + string(quote))
}

// dollar passes a literal in dollars: $$...$$, $tag$...$tag$. False: it is none.
func (r *reading) dollar(rest string) bool {
	if r.at > 0 && isNamePart(r.text[r.at-1]) {
		return false
	}
	end := strings.IndexByte(rest[1:], '$')
	if end < 0 || end > 0 && rest[1] >= '0' && rest[1] <= '9' {
		return false
	}
	tag := rest[:end+2]
	for i := range end {
		if !isNamePart(rest[i+1]) {
			return false
		}
	}
	r.plain.WriteString(literal)
	inside := strings.Index(rest[len(tag):], tag)
	if inside < 0 {
		r.at, r.sound = len(r.text), false
		return true
	}
	r.at += inside + 2*len(tag)
	return true
}

// comment passes one. In PostgreSQL there may be others within.
func (r *reading) comment(rest string) {
	r.plain.WriteByte(' ')
	depth := 0
	for i := 0; i+1 < len(rest); i++ {
		switch pair := rest[i : i+2]; {
		case pair == "/*" && (depth == 0 || r.in == Postgres):
			depth++
			i++
		case pair == "*/":
			depth--
			i++
		}
		if depth == 0 {
			r.at += i + 1
			return
		}
	}
	r.at, r.sound = len(r.text), false
}

func isNamePart(c byte) bool {
	lower := c | 0x20
	return lower >= 'a' && lower <= 'z' || c >= '0' && c <= '9' || c == '_' || c >= 0x80
}
