package routes

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

func isLetters(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := classes[s[i]]; c != lower && c != upper || s[i] >= 0x80 {
			return false
		}
	}
	return s != ""
}

// isPrintable keeps what steers a terminal, and what was no text, out of names.
func isPrintable(s string) bool {
	for _, r := range s {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

func isDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if classes[s[i]] != digit {
			return false
		}
	}
	return s != ""
}

var hex = func() (all [256]bool) {
	for _, c := range []byte("0123456789abcdefABCDEF") {
		all[c] = true
	}
	return all
}()

// isToken says whether letters and digits were made by a machine: they change too
// often between the two, or hold a longer number than words do.
func isToken(s string) bool {
	digits, turns, isHexadecimal := mix(s)
	switch {
	case len(s) > 40:
		return true
	case digits >= longNumber, digits == 2 && turns >= 2 && len(s) >= 5, isHexadecimal && isHash(len(s), digits, turns):
		return !isNumbered(s)
	}
	return len(s) >= 10 && isScrambled(s) && !isNumbered(s)
}

// mix counts digits, and the turns from letters to digits and back.
func mix(s string) (digits, turns int, isHexadecimal bool) {
	isHexadecimal = true
	before := false
	for i := 0; i < len(s); i++ {
		isDigit := classes[s[i]] == digit
		if isDigit {
			digits++
		}
		if isDigit != before && i > 0 {
			turns++
		}
		before = isDigit
		isHexadecimal = isHexadecimal && hex[s[i]]
	}
	return digits, turns, isHexadecimal
}

// isHash judges hexadecimal digits: cafe24 and b2b are words, 3f9a and bcaaa1cb are not.
func isHash(length, digits, turns int) bool {
	return length >= 8 && digits > 0 || length == 4 && digits == 2 && turns >= 2
}

// fluentRow is how many letters in a row are rare where capitals are random.
const fluentRow = 4

// isScrambled says whether capitals and digits are spread as in base64: names in
// camel case have runs of letters, and words that are known. Separators do not count.
func isScrambled(s string) bool {
	for len(s) > 0 && classes[s[len(s)-1]] == digit {
		s = s[:len(s)-1] // names end in numbers, too
	}
	r := read(s)
	most := 2
	if r.inner {
		most = 3
	}
	return 5*r.fluent < most*len(s) && r.isSpread() && !isCommon(s)
}

// isStray says whether a word could be a token by its capitals and digits. Among
// identifiers that is enough: of random tokens, one in a hundred looks like a name.
func isStray(s string) bool {
	isHexadecimal := len(s) >= 8
	for i := 0; i < len(s) && isHexadecimal; i++ {
		isHexadecimal = hex[s[i]]
	}
	return (isHexadecimal || len(s) >= 12 && 5*read(s).runs >= len(s)) && !isCommon(s)
}

// reading is how the letters and digits of a word follow each other.
type reading struct {
	n      [5]int // by class
	runs   int    // of one class; a capital belongs to the small letters behind it
	fluent int    // letters that can be pronounced
	inner  bool   // small letters follow a digit; camel case goes on with a capital

	before      class
	row, vowels int
}

func read(s string) reading {
	var r reading
	for i := 0; i < len(s); i++ {
		if c := classes[s[i]]; c != separator {
			r.add(c, s[i])
		}
	}
	r.endRow()
	return r
}

func (r *reading) add(c class, letter byte) {
	if c != r.before && (c != lower || r.before != upper) {
		r.runs++
	}
	switch {
	case c != lower:
		r.endRow()
		if c == upper {
			r.row = 1
		}
	default:
		r.inner = r.inner || r.before == digit
		r.row++
		if strings.IndexByte("aeiouy", letter) >= 0 {
			r.vowels++
		}
	}
	r.n[c]++
	r.before = c
}

// endRow ends a row of small letters with the capital before it.
func (r *reading) endRow() {
	if r.row >= fluentRow && 4*r.vowels >= r.row {
		r.fluent += r.row
	}
	r.row, r.vowels = 0, 0
}

// isSpread judges how many runs there are for the letters. The bounds were found
// with random tokens on one side and names of functions on the other.
func (r *reading) isSpread() bool {
	length := r.n[lower] + r.n[upper] + r.n[digit]
	if r.n[lower] > 0 && r.n[upper] > 0 {
		long := length >= 16
		switch {
		case r.n[digit] > 0 && (3*r.runs > length || long && 5*r.runs > length):
			return true
		case long && 5*r.runs >= length && 10*r.n[upper] >= 3*length:
			return true
		}
	}
	return 3*r.runs >= length+3
}

// isUUID also takes those without a digit.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if s[i] != '-' {
				return false
			}
		} else if !hex[s[i]] {
			return false
		}
	}
	return true
}

// isDate takes 2026-11-26 and what may follow it.
func isDate(s string) bool {
	if len(s) < 10 || len(s) > 10 && s[10] != 'T' && s[10] != '_' || s[4] != '-' || s[7] != '-' {
		return false
	}
	return isDigits(s[:4]) && isDigits(s[5:7]) && isDigits(s[8:10]) && s[5] <= '1' && s[8] <= '3'
}

// isVersion takes v1, v2.1.0, v1beta1, v2.0.0-rc1.
func isVersion(s string) bool {
	if len(s) < 2 || len(s) > 14 || s[0] != 'v' && s[0] != 'V' || classes[s[1]] != digit {
		return false
	}
	stage := strings.TrimLeft(s[1:], "0123456789.")
	for number := range strings.SplitSeq(s[1:len(s)-len(stage)], ".") {
		if len(number) > longNumber {
			return false
		}
	}
	return stage == "" || isStage(strings.TrimLeft(stage, "-"))
}

// isStage takes beta, rc1, preview.2.
func isStage(s string) bool {
	for _, known := range []string{"alpha", "beta", "rc", "preview", "p"} {
		if number, ok := strings.CutPrefix(s, known); ok {
			return number == "" || len(number) <= longNumber && isDigits(strings.TrimLeft(number, "."))
		}
	}
	return false
}

// isLocale takes en-US, pt_BR, zh-Hant-TW, es-419, and the usual ones in lower case.
func isLocale(s string) bool {
	if len(s) < 5 || len(s) > 10 || !isOnly(s[:2], lower) || !isLink(s[2]) {
		return false
	}
	region := s[3:]
	if isScript(region) {
		if len(region) == 4 {
			return true
		}
		if !isLink(region[4]) {
			return false
		}
		region = region[5:]
	}
	switch len(region) {
	case 2:
		return isOnly(region, upper) || usualLocales[s[:2]+"-"+region]
	case 3:
		return isDigits(region)
	}
	return false
}

// isLink says whether a byte links the parts of a locale.
func isLink(c byte) bool { return c == '-' || c == '_' }

// isScript takes Hant of Hant-TW.
func isScript(s string) bool {
	return len(s) >= 4 && isOnly(s[:1], upper) && isOnly(s[1:4], lower)
}

// isOnly says whether all of a text is ASCII of one class.
func isOnly(s string, c class) bool {
	for i := 0; i < len(s); i++ {
		if classes[s[i]] != c || s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// isAsset says whether a path ends in the name of a static file.
func isAsset(path string) bool {
	for i := len(path) - 1; i > 0 && i >= len(path)-6; i-- {
		switch path[i] {
		case '.':
			return path[i-1] != '/' && assets[path[i+1:]]
		case '/':
			return false
		}
	}
	return false
}
