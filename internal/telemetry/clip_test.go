package telemetry

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestClip(t *testing.T) {
	tests := map[string]struct {
		text string
		most int
		want string
	}{
		"a short text":          {"abc", 3, "abc"},
		"a long one":            {"abcd", 3, "abc"},
		"nothing":               {"", 3, ""},
		"between two letters":   {"éé", 2, "é"},
		"within a letter":       {"éé", 3, "é"},
		"within the first":      {"€", 2, ""},
		"four bytes":            {"a\U0001F600", 4, "a"},
		"what is not UTF-8":     {"a\xffb", 10, "a\uFFFDb"},
		"it grows and is cut":   {"\xffabc", 3, "\uFFFD"},
		"cut within UTF-8":      {"caf\xc3", 10, "caf\uFFFD"},
		"no room":               {"abc", 0, ""},
		"the mark is not split": {"ab\xff", 4, "ab"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := Clip(tc.text, tc.most); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func FuzzClip(f *testing.F) {
	f.Add("é\xff€", 3)
	f.Fuzz(func(t *testing.T, text string, most int) {
		most &= 0xfff
		got := Clip(text, most)
		if len(got) > most || !utf8.ValidString(got) || Clip(got, most) != got {
			t.Errorf("%q cut to %d is %q", text, most, got)
		}
		if !strings.HasPrefix(strings.ToValidUTF8(text, "\uFFFD"), got) {
			t.Errorf("%q is no part of %q", got, text)
		}
		var back string
		if content, err := json.Marshal(got); err != nil || json.Unmarshal(content, &back) != nil || back != got {
			t.Errorf("%q comes back as %q", got, back)
		}
	})
}
