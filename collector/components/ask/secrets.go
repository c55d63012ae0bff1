package ask

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// hidden stands for a secret.
const hidden = "***"

// shortestSecret: what is shorter is in every text.
const shortestSecret = 3

// Secrets are texts that nobody is to see, in all forms in which they come.
type Secrets struct{ texts []string }

// ReadSecrets reads the files of a folder whose name begins as those of one
// destination do, and adds some that were made of them.
func ReadSecrets(dir, prefix string, made []string) (Secrets, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return Secrets{}, fmt.Errorf("listing the secrets: %w", err)
	}
	values := slices.Clone(made)
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), prefix) {
			continue
		}
		content, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			return Secrets{}, fmt.Errorf("reading a secret: %w", err)
		}
		values = append(values, string(content))
	}
	return NewSecrets(values...), nil
}

// NewSecrets are those of some values.
func NewSecrets(values ...string) Secrets {
	var s Secrets
	for _, value := range values {
		s.add(value)
	}
	slices.SortFunc(s.texts, longestFirst)
	s.texts = slices.Compact(s.texts)
	return s
}

// With are these and some more.
func (s Secrets) With(values ...string) Secrets {
	more := NewSecrets(values...)
	more.texts = append(more.texts, s.texts...)
	slices.SortFunc(more.texts, longestFirst)
	return more
}

// longestFirst: of two of which one is a part of the other, the longer goes first.
func longestFirst(a, b string) int { return cmp.Compare(len(b), len(a)) }

func (s *Secrets) add(value string) {
	trimmed := strings.TrimSpace(value)
	forms := []string{value, trimmed}
	for line := range strings.Lines(trimmed) {
		// A line of a key says as much as the key.
		if line = strings.TrimSpace(line); len(line) >= longLine {
			forms = append(forms, line)
		}
	}
	for _, form := range slices.Clone(forms) {
		forms = append(forms, encodings(form)...)
	}
	for _, form := range forms {
		if len(form) >= shortestSecret {
			s.texts = append(s.texts, form)
		}
	}
}

// longLine tells lines of a key from those that begin and end one.
const longLine = 32

// encodings are what servers, exporters and errors make of a text.
func encodings(text string) []string {
	quoted := strconv.Quote(text)
	marshalled, _ := json.Marshal(text) // A string can always be.
	return []string{
		url.QueryEscape(text), url.PathEscape(text), html.EscapeString(text),
		quoted[1 : len(quoted)-1], string(marshalled[1 : len(marshalled)-1]),
		base64.StdEncoding.EncodeToString([]byte(text)), base64.RawStdEncoding.EncodeToString([]byte(text)),
		base64.URLEncoding.EncodeToString([]byte(text)), base64.RawURLEncoding.EncodeToString([]byte(text)),
		hex.EncodeToString([]byte(text)),
	}
}

// Hide takes the secrets out of a text, and then cuts it to a length.
func (s Secrets) Hide(text string, longest int) string {
	for _, secret := range s.texts {
		text = strings.ReplaceAll(text, secret, hidden)
	}
	text = strings.ToValidUTF8(text, "?")
	if len(text) <= longest {
		return text
	}
	return strings.ToValidUTF8(text[:longest], "") + "..."
}
