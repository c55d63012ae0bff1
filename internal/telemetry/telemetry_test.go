package telemetry

import "testing"

func TestOnlyWordsOfTheConventionsNameALanguage(t *testing.T) {
	for given, want := range map[string]string{"go": "go", "nodejs": "nodejs", "c": "", "nginx": "", "perl": "", "": ""} {
		if got := WellKnownLanguage(given); got != want {
			t.Errorf("WellKnownLanguage(%q) = %q, want %q", given, got, want)
		}
	}
}
