package procfs

import (
	"os"
	"path/filepath"
	"testing"
)

func TestFileCacheIsBounded(t *testing.T) {
	c := NewFileCache[uint64](4)
	for n := range uint64(100) {
		c.Put(FileIdentity{inode: n}, n)
		if got, ok := c.Get(FileIdentity{inode: n}); !ok || got != n || c.Len() > 4 {
			t.Fatalf("%d %t, and %d entries after %d", got, ok, c.Len(), n)
		}
	}
}

// TestIdentify: a file that was written again is another one.
func TestIdentify(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app")
	identity := func(content string) FileIdentity {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		id, err := Identify(f)
		if err != nil || id.Size() != int64(len(content)) {
			t.Fatalf("%+v, %v", id, err)
		}
		return id
	}
	if one, two := identity("one"), identity("more"); one == two {
		t.Error("a file that was written again is the same")
	}
}
