package cache

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestEntryIsMadeOnceHoweverManyNeedIt(t *testing.T) {
	dir := Dir(t.TempDir())
	var built atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			path, err := dir.Make("programs/x", "k", func(dir string) error {
				built.Add(1)
				return os.WriteFile(filepath.Join(dir, "x"), []byte("x"), 0o644)
			})
			if err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(filepath.Join(path, "x")); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if built.Load() != 1 {
		t.Errorf("it was built %d times, want once", built.Load())
	}
}

func TestFailedBuildLeavesNoEntry(t *testing.T) {
	dir := Dir(t.TempDir())
	broken := errors.New("broken")
	_, err := dir.Make("x", "k", func(dir string) error {
		return errors.Join(os.WriteFile(filepath.Join(dir, "half"), nil, 0o644), broken)
	})
	if !errors.Is(err, broken) {
		t.Errorf("got error %v, want the build's", err)
	}
	if dir.Has("x", "k") {
		t.Error("a failed build left an entry")
	}
	left, err := filepath.Glob(filepath.Join(string(dir), ".making-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("a failed build left %v (%v)", left, err)
	}
}

func TestKeyTellsInputsApart(t *testing.T) {
	if Key("ab", "c") == Key("a", "bc") {
		t.Error("inputs that differ in where one ends have the same key")
	}
}

func TestFilesSeeContentAndMode(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	seen := map[string]bool{}
	for _, change := range []func() error{
		func() error { return os.WriteFile(file, []byte("one"), 0o644) },
		func() error { return os.WriteFile(file, []byte("two"), 0o644) },
		func() error { return os.Chmod(file, 0o755) },
	} {
		if err := change(); err != nil {
			t.Fatal(err)
		}
		inputs, err := Files(filepath.Dir(file))
		if err != nil {
			t.Fatal(err)
		}
		seen[Key(inputs...)] = true
	}
	if len(seen) != 3 {
		t.Errorf("three states of a file have %d keys", len(seen))
	}
}

func TestEntriesThatNobodyNeedsGo(t *testing.T) {
	dir := Dir(t.TempDir())
	fill := func(string) error { return nil }
	old, needed := dir.Path("programs/x-v1", "k"), dir.Path("programs/y", "k")
	for _, name := range []string{"programs/x-v1", "programs/y"} {
		if _, err := dir.Make(name, "k", fill); err != nil {
			t.Fatal(err)
		}
	}
	long := time.Now().Add(-2 * kept)
	for _, entry := range []string{old, needed} {
		if err := os.Chtimes(entry, long, long); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"programs/y", "programs/x-v2"} { // The first is there already.
		if _, err := dir.Make(name, "k", fill); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(old); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the old entry is still there: %v", err)
	}
	if _, err := os.Stat(needed); err != nil {
		t.Errorf("the entry that is used: %v", err)
	}
}
