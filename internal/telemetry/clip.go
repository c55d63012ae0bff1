package telemetry

import (
	"strings"
	"unicode/utf8"
)

// Limits of what odi takes from others. OpenTelemetry's SDKs have none for the
// length of a value by default; receivers have one for a whole message.
const (
	// MaxAttributes of one resource, as SDKs have it for spans.
	MaxAttributes = 128
	// MaxKey and MaxValue are in bytes.
	MaxKey   = 256
	MaxValue = 1024
)

// Clip makes valid UTF-8 of at most so many bytes out of a text. What is not
// valid cannot be compared with what comes back of it: encoders replace it.
func Clip(text string, most int) string {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}
