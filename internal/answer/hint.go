package answer

import (
	"regexp"
	"strings"
)

// A clue is a usual cause that a question may show.
type clue struct {
	fits func(question) bool
	say  func(question) string
}

// clues in the order in which they are looked for: what names its cause comes
// before what only looks like one.
var clues = [][]clue{fetching, reaching, securing, speaking, allowing, asking}

// hint is the first that fits, empty for none.
func hint(q question) string {
	for _, room := range clues {
		for _, c := range room {
			if c.fits(q) {
				return c.say(q)
			}
		}
	}
	return ""
}

// because fits where the cause begins so.
func because(begin string) func(question) bool {
	return func(q question) bool { return strings.HasPrefix(q.cause, begin) }
}

// says fits where the backend's words have one of these, in small letters.
func says(parts ...string) func(question) bool {
	return func(q question) bool { return q.mentions(parts...) }
}

func (q question) mentions(parts ...string) bool {
	for _, part := range parts {
		if strings.Contains(q.said, part) {
			return true
		}
	}
	return false
}

// answers fits where the answer has one of these numbers or names.
func answers(names ...string) func(question) bool {
	return func(q question) bool {
		for _, name := range names {
			if strings.HasSuffix(q.cause, "("+name+")") {
				return true
			}
		}
		return false
	}
}

func all(fits ...func(question) bool) func(question) bool {
	return func(q question) bool {
		for _, fit := range fits {
			if !fit(q) {
				return false
			}
		}
		return true
	}
}

// always says one sentence.
func always(text string) func(question) string { return func(question) string { return text } }

// found is the first group of a pattern in a text, empty for none.
func found(pattern *regexp.Regexp, text string) string {
	if m := pattern.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}
