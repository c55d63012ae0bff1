package routes

import "strings"

// kind is what a segment is by its looks alone.
type kind uint8

const (
	word kind = iota
	// identifier is a number, a UUID, a hash, a token, an address: no fixed
	// word looks like one.
	identifier
	date
	locale
	// file is a static file: all files of a folder are one route.
	file
	// rest is all that follows.
	rest
	// form is words around an identifier: {id}.json, {id}:cancel, Orders({id}).
	form

	parameters = int(rest)
)

// String returns the label of a parameter.
func (k kind) String() string {
	return [...]string{"", "{id}", "{date}", "{locale}", "{file}", "*", ""}[k]
}

const (
	// maxSegment is longer than words are.
	maxSegment = 64
	// maxParts is more parts than the name of a page has: longer is a headline.
	maxParts = 6
	// longNumber has more digits than what words are numbered with (step2, oauth2).
	longNumber = 3
)

// class is what a byte of a segment is.
type class uint8

const (
	other class = iota
	lower
	upper
	digit
	separator // - _ . ~
)

var classes = func() (all [256]class) {
	for c := range all {
		switch {
		case 'a' <= c && c <= 'z', c >= 0x80: // of UTF-8
			all[c] = lower
		case 'A' <= c && c <= 'Z':
			all[c] = upper
		case '0' <= c && c <= '9':
			all[c] = digit
		case c == '-', c == '_', c == '.', c == '~':
			all[c] = separator
		}
	}
	return all
}()

// look says what a segment is. Parameters of the segment (;jsessionid=1) are cut off.
func look(text string) segment {
	if isUUID(text) {
		return segment{text, identifier}
	}
	n, isASCII := tally(text)
	switch {
	case !isASCII && !isPrintable(text):
		return segment{text, identifier}
	case n[other] > 0:
		return special(text)
	case len(text) > maxSegment:
		return segment{text, identifier}
	case n[lower]+n[upper] > 0:
		return segment{text, lettered(text, n)}
	case n[digit] > 0:
		return segment{text, numeric(text, n[digit])}
	}
	return segment{text, dots(text)}
}

// tally counts the classes of a text.
func tally(text string) (n [5]int, isASCII bool) {
	var bits byte
	for i := 0; i < len(text); i++ {
		n[classes[text[i]]]++
		bits |= text[i]
	}
	return n, bits < 0x80
}

// lettered judges segments with letters. Most are plain words.
func lettered(text string, n [5]int) kind {
	if n[digit] == 0 && n[separator] == 0 && (n[upper] == 0 || len(text) < 10) {
		return word
	}
	return composed(text, n[digit] > 0)
}

// dots judges separators: a dot leads elsewhere.
func dots(text string) kind {
	if strings.Trim(text, ".") == "" {
		return identifier
	}
	return word
}

// numeric judges digits and separators. 1.0 and 2.3.1 are versions.
func numeric(text string, digits int) kind {
	if isDate(text) {
		return date
	}
	if strings.Count(text, ".") == len(text)-digits && digits < len(text) {
		groups := 0
		for group := range strings.SplitSeq(text, ".") {
			if len(group) == 0 || len(group) > 2 {
				return identifier
			}
			groups++
		}
		if groups <= 3 {
			return word
		}
	}
	return identifier
}

// composed judges letters with digits or separators.
func composed(text string, digits bool) kind {
	switch {
	case isLocale(text):
		return locale
	case !digits && len(text) < 10, digits && isVersion(text):
		return word
	case digits && isDate(text):
		return date
	}
	if stem, _, ok := extension(text); ok && isDigits(stem) {
		return form
	}
	return byParts(text)
}

// byParts judges a text by what stands between its separators, and as a whole.
func byParts(text string) kind {
	parts, from := 0, 0
	for i := 0; i <= len(text); i++ {
		if i < len(text) && classes[text[i]] != separator {
			continue
		}
		if isToken(text[from:i]) {
			return aroundToken(text)
		}
		if i > from {
			parts++
		}
		from = i + 1
	}
	if parts >= maxParts || len(text) >= 16 && isScrambled(text) {
		return identifier
	}
	return word
}

// aroundToken tells 17.json, which has a form, from a token.
func aroundToken(text string) kind {
	if stem, _, ok := extension(text); ok && look(stem).kind == identifier {
		return form
	}
	return identifier
}

// special judges segments with other characters than names have.
func special(text string) segment {
	if i := strings.IndexByte(text, ';'); i >= 0 {
		if i == 0 {
			return segment{text, identifier}
		}
		return look(text[:i])
	}
	if len(text) > maxSegment {
		return segment{text, identifier}
	}
	if text[0] == '$' && len(text) > 1 && isLetters(text[1:]) {
		return segment{text, word} // $batch, $metadata
	}
	if base, _, ok := verb(text); ok {
		switch look(base).kind {
		case word:
			return segment{text, word} // messages:batchGet
		case identifier:
			return segment{text, form}
		}
	}
	if _, ok := call(text); ok {
		return segment{text, form}
	}
	return segment{text, identifier}
}

// appendForm appends the label of a form.
func appendForm(to []byte, text string) []byte {
	if name, ok := call(text); ok {
		return append(append(to, name...), "({id})"...)
	}
	if _, end, ok := verb(text); ok {
		return append(append(to, "{id}:"...), end...)
	}
	_, end, _ := extension(text)
	return append(append(to, "{id}."...), end...)
}

// verb splits 17:cancel.
func verb(text string) (base, end string, ok bool) {
	i := strings.LastIndexByte(text, ':')
	if i <= 0 || len(text)-i < 4 || !isLetters(text[i+1:]) {
		return "", "", false
	}
	return text[:i], text[i+1:], true
}

// call splits Orders(17).
func call(text string) (name string, ok bool) {
	i := strings.IndexByte(text, '(')
	if i <= 0 || text[len(text)-1] != ')' || !isLetters(text[:i]) {
		return "", false
	}
	return text[:i], true
}

// extension splits 17.json.
func extension(text string) (stem, end string, ok bool) {
	i := strings.LastIndexByte(text, '.')
	if i <= 0 || len(text)-i > 6 || len(text)-i < 3 || !isLetters(text[i+1:]) {
		return "", "", false
	}
	return text[:i], text[i+1:], true
}
