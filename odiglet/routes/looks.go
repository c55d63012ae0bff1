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

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// isToken says whether letters and digits were made by a machine: they change too
// often between the two, or hold a longer number than words do.
func isToken(s string) bool {
	digits, turns, hex := 0, 0, true
	for i := 0; i < len(s); i++ {
		isDigit := classes[s[i]] == digit
		if isDigit {
			digits++
		}
		if i > 0 && isDigit != (classes[s[i-1]] == digit) {
			turns++
		}
		hex = hex && isHex(s[i])
	}
	switch {
	case digits >= longNumber, digits == 2 && turns >= 2 && (len(s) >= 5 || len(s) == 4 && hex), digits > 0 && hex && len(s) >= 8:
		return !isNumbered(s)
	case len(s) > 40:
		return true
	}
	return len(s) >= 10 && isScrambled(s) && !isNumbered(s)
}

// fluentRow is how many small letters in a row are rare where capitals are random.
const fluentRow = 4

// isScrambled says whether capitals and digits are spread as in base64: names in
// camel case have runs of letters, and words that are known. Separators do not count.
func isScrambled(s string) bool {
	for len(s) > 0 && classes[s[len(s)-1]] == digit {
		s = s[:len(s)-1] // names end in numbers, too
	}
	runs, row, vowels, fluent, most := 0, 0, 0, 0, 2
	var n [5]int
	before := other
	for i := 0; i < len(s); i++ {
		c := classes[s[i]]
		if c == separator {
			continue
		}
		if c == lower && before == digit {
			most = 3 // camel case goes on with a capital
		}
		if c != before && (c != lower || before != upper) {
			runs++
		}
		if c != lower {
			fluent += fluency(row, vowels)
			row, vowels = 0, 0
			if c == upper {
				row = 1
			}
		} else if row++; strings.IndexByte("aeiouy", s[i]) >= 0 {
			vowels++
		}
		n[c]++
		before = c
	}
	fluent += fluency(row, vowels)
	return 5*fluent < most*len(s) && isSpread(runs, n) && !isCommon(s)
}

// isStray says whether a word could be a token by its capitals and digits. Among
// identifiers that is enough: of random tokens, one in a hundred looks like a name.
func isStray(s string) bool {
	runs, isHexadecimal := 0, true
	before := other
	for i := 0; i < len(s); i++ {
		isHexadecimal = isHexadecimal && isHex(s[i])
		c := classes[s[i]]
		if c == separator {
			continue
		}
		if c != before && (c != lower || before != upper) {
			runs++
		}
		before = c
	}
	return (len(s) >= 12 && 5*runs >= len(s) || len(s) >= 8 && isHexadecimal) && !isCommon(s)
}

// fluency is how many letters of a row can be pronounced.
func fluency(row, vowels int) int {
	if row < fluentRow || 4*vowels < row {
		return 0
	}
	return row
}

// isSpread judges how many runs there are for the letters. The bounds were found
// with random tokens on one side and names of functions on the other.
func isSpread(runs int, n [5]int) bool {
	length := n[lower] + n[upper] + n[digit]
	isMixed := n[lower] > 0 && n[upper] > 0
	switch {
	case isMixed && n[digit] > 0 && (3*runs > length || length >= 16 && 5*runs > length):
		return true
	case isMixed && length >= 16 && 5*runs >= length && 10*n[upper] >= 3*length:
		return true
	}
	return 3*runs >= length+3
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
		} else if !isHex(s[i]) {
			return false
		}
	}
	return true
}

// isDate takes 2026-11-26 and what may follow it.
func isDate(s string) bool {
	return len(s) >= 10 && s[4] == '-' && s[7] == '-' && (s[0] == '1' || s[0] == '2') &&
		isDigits(s[:4]) && isDigits(s[5:7]) && isDigits(s[8:10]) &&
		s[5] <= '1' && s[8] <= '3' && (len(s) == 10 || s[10] == 'T' || s[10] == '_')
}

// isVersion takes v1, v2.1.0, v1beta1, v2.0.0-rc1.
func isVersion(s string) bool {
	if len(s) < 2 || len(s) > 14 || s[0] != 'v' && s[0] != 'V' || classes[s[1]] != digit {
		return false
	}
	numbers := 0
	i := 1
	for i < len(s) && (classes[s[i]] == digit || s[i] == '.') {
		if s[i] == '.' {
			numbers = 0
		} else if numbers++; numbers > longNumber {
			return false
		}
		i++
	}
	stage := strings.TrimLeft(s[i:], "-")
	if stage == "" {
		return i == len(s)
	}
	for _, known := range []string{"alpha", "beta", "rc", "preview", "p"} {
		if number, ok := strings.CutPrefix(stage, known); ok {
			return number == "" || len(number) <= longNumber && isDigits(strings.TrimLeft(number, "."))
		}
	}
	return false
}

// isLocale takes en-US, pt_BR, zh-Hant-TW, es-419, and the usual ones in lower case.
func isLocale(s string) bool {
	if len(s) < 5 || len(s) > 10 || s[2] != '-' && s[2] != '_' || classes[s[0]] != lower || classes[s[1]] != lower || !isLetters(s[:2]) {
		return false
	}
	region := s[3:]
	if len(region) >= 4 && classes[region[0]] == upper && isLetters(region[:4]) && strings.ToLower(region[1:4]) == region[1:4] {
		if len(region) == 4 {
			return true
		}
		if len(region) < 6 || region[4] != s[2] {
			return false
		}
		region = region[5:]
	}
	switch {
	case len(region) == 2 && classes[region[0]] == upper && classes[region[1]] == upper, len(region) == 3 && isDigits(region):
		return true
	case len(region) == 2:
		return usualLocales[s[:2]+"-"+region]
	}
	return false
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
