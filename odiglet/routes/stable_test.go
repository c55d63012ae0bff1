package routes

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestNamesOnlyBecomeMoreGeneral asks for the same paths again and again while a
// service is learned.
func TestNamesOnlyBecomeMoreGeneral(t *testing.T) {
	for _, table := range readTables(t) {
		b, random := NewBook(), rand.New(rand.NewPCG(3, 8))
		next := picker(table, random, 3)
		last := map[string]string{}
		var paths []string
		changes := 0
		for range 20_000 {
			path := fill(next(), random)
			if len(paths) < 400 {
				paths = append(paths, path)
			}
			server(b, path)
			again := paths[random.IntN(len(paths))]
			name := server(b, again)
			if before, ok := last[again]; ok && before != name {
				changes++
				if !generalises(name, before) {
					t.Fatalf("%s: %s was called %s, then %s", table.name, again, before, name)
				}
			}
			last[again] = name
		}
		t.Logf("%s: %d of %d paths changed their name", table.name, changes, len(paths))
	}
}

// generalises says whether a name differs from another by parameters only.
func generalises(name, before string) bool {
	a, b := strings.Split(name, "/"), strings.Split(before, "/")
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] && a[i] != "{id}" {
			return false
		}
	}
	return true
}
