package main

import (
	"testing"

	"github.com/odi-dev/odi/internal/testkit/program"
)

// TestNeedsAreInTheList holds what `up` installs by itself to what `make setup` installs.
func TestNeedsAreInTheList(t *testing.T) {
	for file := range needs {
		if err := program.Check(t, file); err != nil {
			t.Error(err)
		}
	}
}
