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
	var words []string
	var word strings.Builder
	open, quote, comment := false, rune(0), false
	end := func() {
		if open {
			words = append(words, word.String())
		}
		open = false
		word.Reset()
	}
	escaped := false
	for _, r := range text {
		isEnd := r == '\n' || r == '\r'
		switch {
		case comment:
			comment = !isEnd
		case escaped:
			escaped = false
			if !isEnd {
				word.WriteRune(r)
			}
		case quote != 0 && r == '\\':
			escaped = true
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '"' || r == '\'':
			quote, open = r, true
		case r == '#' && !open:
			comment = true
		case isEnd || r == ' ' || r == '\t' || r == '\f':
			end()
		default:
			open = true
			word.WriteRune(r)
		}
		if len(words) > maxWords {
			return words
		}
	}
	end()
	return words
}
