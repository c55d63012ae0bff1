// Package parse has a fuzz target that a byte other than those of its seed breaks, and others.
package parse

import (
	"slices"
	"testing"
)

func FuzzBreaks(f *testing.F) {
	f.Add([]byte("aaaa"))
	f.Fuzz(func(_ *testing.T, b []byte) {
		if slices.ContainsFunc(b, func(c byte) bool { return c != 'a' }) {
			panic("a byte that nobody thought of")
		}
	})
}

func FuzzHolds(f *testing.F) {
	f.Fuzz(func(*testing.T, string) {})
}

func FuzzSkips(f *testing.F) {
	f.Skip("it needs what this machine has not")
}
