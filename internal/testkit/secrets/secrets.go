// Package secrets looks for secrets in what odi tells others, in the forms in which a part of
// one may be there.
package secrets

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
)

// length is that of a secret, window that of a part that counts as found: by chance it is in a
// megabyte once in a billion times.
const (
	length = 24
	window = 10
	stride = 4 // so every part of 13 characters is found
)

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// New makes a secret of letters and digits, which goes into any protocol as it is. The first one is a letter.
func New(random *rand.Rand) string {
	text := make([]byte, length)
	for i := range text {
		text[i] = letters[random.IntN(len(letters))]
	}
	text[0] = letters[random.IntN(52)]
	return string(text)
}

// Number makes one of digits alone, as that of a card.
func Number(random *rand.Rand) string {
	return fmt.Sprintf("4%09d%06d", random.IntN(1e9), random.IntN(1e6))
}

// Text is what secrets are looked for in.
type Text struct{ whole, lower []byte }

// In takes what odi has told. It is not copied.
func In(told []byte) Text { return Text{told, bytes.ToLower(told)} }

// Find says in which form a secret, or a part of it, is in the text; empty: in none.
func (t Text) Find(secret string) string {
	for _, part := range parts(secret) {
		if form := t.findPart(part); form != "" {
			return form
		}
	}
	for _, form := range []string{url.QueryEscape(secret), url.PathEscape(secret)} {
		if form != secret && bytes.Contains(t.whole, []byte(form)) {
			return "URL-encoded"
		}
	}
	return ""
}

func (t Text) findPart(part string) string {
	switch lower := []byte(strings.ToLower(part)); {
	case bytes.Contains(t.whole, []byte(part)):
		return "plain"
	case bytes.Contains(t.lower, lower):
		return "in another case"
	case bytes.Contains(t.lower, percent(part)):
		return "URL-encoded"
	case bytes.Contains(t.lower, []byte(hex.EncodeToString([]byte(part)))), bytes.Contains(t.lower, []byte(hex.EncodeToString(lower))):
		return "in hexadecimals"
	}
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for shift := range 3 {
			if bytes.Contains(t.whole, inner(encoding, part, shift)) {
				return "in base64"
			}
		}
	}
	return ""
}

// parts are windows over a secret; one of digits, or a short one, is looked for as a whole.
func parts(secret string) (all []string) {
	if len(secret) < length || strings.Trim(secret, "0123456789") == "" {
		return []string{secret}
	}
	for at := 0; at+window <= len(secret); at += stride {
		all = append(all, secret[at:at+window])
	}
	return append(all, secret[len(secret)-window:])
}

// percent writes every character as %xx.
func percent(part string) []byte {
	var all []byte
	for i := range len(part) {
		all = fmt.Appendf(all, "%%%02x", part[i])
	}
	return all
}

// inner is what of a part is in base64 whatever is beside it, where so many bytes of a group
// of three are before it.
func inner(encoding *base64.Encoding, part string, shift int) []byte {
	text := encoding.EncodeToString(append(make([]byte, shift), part...))
	begin := (shift*8 + 5) / 6
	return []byte(text[begin : (shift+len(part))*8/6])
}
