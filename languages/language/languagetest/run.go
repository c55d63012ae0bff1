package languagetest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/languages/language"
)

// Case is a process and what a room must say of it; a zero Want means "not mine".
type Case struct {
	Process language.Process
	Want    language.Runtime
}

// Run asks a room about every case.
func Run(t *testing.T, room language.Language, cases map[string]Case) {
	t.Helper()
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, ok := room.Detect(Process(tc.Process))
			if diff := cmp.Diff(tc.Want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if ok != tc.Want.Known() {
				t.Errorf("mine: got %v", ok)
			}
		})
	}
}
