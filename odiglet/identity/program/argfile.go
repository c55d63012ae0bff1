package program

import "strings"

// expandArgfiles replaces @file in front of the main class by the words in it, as
// Java's launcher does; @@file stands for a word that begins with @.
func (c context) expandArgfiles(words []string) []string {
	var all []string
	for i, w := range words {
		switch {
		case w == "-disable-@files", len(w) > 0 && w[0] != '-' && w[0] != '@' && !isValue(words, i):
			return append(all, words[i:]...)
		case strings.HasPrefix(w, "@@"):
			all = append(all, w[1:])
		case strings.HasPrefix(w, "@") && c.files != nil:
			all = append(all, argfile(string(c.files.Read(c.absolute(w[1:]))))...)
		default:
			all = append(all, w)
		}
		if len(all) > maxWords {
			return all[:maxWords]
		}
	}
	return all
}

// isValue says whether a word is the value of the option in front of it.
func isValue(words []string, i int) bool {
	return i > 0 && !strings.Contains(words[i-1], "=") && javaOptions.takesValue(words[i-1])
}

// argfile splits the text of an argument file: blanks part words unless quoted,
// # begins a comment, and a backslash takes the next character as it is within quotes.
func argfile(text string) []string {
	var a argfileReader
	for _, r := range text {
		a.read(r)
		if len(a.words) > maxWords {
			return a.words
		}
	}
	a.endWord()
	return a.words
}

// argfileReader takes the text of an argument file character by character.
type argfileReader struct {
	words []string
	word  strings.Builder
	// open says that a word has begun; quotes may leave it empty.
	open bool
	// quote is the one that has to come before the word can end, or 0.
	quote rune
	// escaped is true behind a backslash, which only counts within quotes.
	escaped bool
	comment bool
}

func (a *argfileReader) read(r rune) {
	switch {
	case a.comment:
		a.comment = !endsLine(r)
	case a.quote != 0:
		a.readQuoted(r)
	default:
		a.readPlain(r)
	}
}

func (a *argfileReader) readQuoted(r rune) {
	switch {
	case a.escaped:
		a.escaped = false
		if !endsLine(r) {
			a.word.WriteRune(r)
		}
	case r == '\\':
		a.escaped = true
	case r == a.quote:
		a.quote = 0
	default:
		a.word.WriteRune(r)
	}
}

func (a *argfileReader) readPlain(r rune) {
	switch {
	case r == '"' || r == '\'':
		a.quote, a.open = r, true
	case r == '#' && !a.open:
		a.comment = true
	case endsLine(r) || r == ' ' || r == '\t' || r == '\f':
		a.endWord()
	default:
		a.open = true
		a.word.WriteRune(r)
	}
}

func (a *argfileReader) endWord() {
	if a.open {
		a.words = append(a.words, a.word.String())
	}
	a.open = false
	a.word.Reset()
}

func endsLine(r rune) bool { return r == '\n' || r == '\r' }
