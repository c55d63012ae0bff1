package language_test

import (
	"testing"

	"github.com/odi-dev/odi/languages/language"
)

func TestLeadingVersion(t *testing.T) {
	tests := map[string]string{
		"": "", "x": "", "3": "3", "3.11": "3.11", "3.11.so": "3.11", "17.0.15+6-Debian": "17.0.15",
		"8.0.11.51707": "8.0.11", "1..2": "1", ".5": "", "21-ea": "21",
	}
	for in, want := range tests {
		if got := language.LeadingVersion(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
