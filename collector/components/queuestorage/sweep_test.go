package queuestorage

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component"
)

func TestAQueueThatNobodyAsksForGoesAfterAWhile(t *testing.T) {
	dir := t.TempDir()
	config := Config{Directory: dir, SweepAfter: 10 * time.Minute}
	s, _ := open(t, config)
	gone := client(t, s, component.MustNewIDWithName("otlp_grpc", "shop/gone/uid-2"))
	put(t, gone, "1", "of another owner")
	for _, name := range []string{"lost+found", asidesFolder} {
		if err := os.MkdirAll(filepath.Join(dir, name), folderMode); err != nil {
			t.Fatal(err)
		}
	}

	s, q := open(t, config) // A reload without that exporter.
	put(t, q, "1", "mine")
	now := time.Now()
	s.sweep(now)
	s.sweep(now.Add(9 * time.Minute))
	wantFolders(t, dir, 4)

	s, q = open(t, config) // Another one does not begin anew.
	s.sweep(now.Add(11 * time.Minute))
	wantFolders(t, dir, 3)
	if got := get(t, q, "1"); got != "mine" {
		t.Errorf("the queue that is in use has %q", got)
	}
	if used := s.room.all(); used != 2*block { // The item and its accounting.
		t.Errorf("%d bytes are counted, want %d", used, 2*block)
	}
}

func TestAQueueThatIsAskedForAgainStays(t *testing.T) {
	config := Config{Directory: t.TempDir(), SweepAfter: 10 * time.Minute}
	id := component.MustNewIDWithName("otlp_grpc", "shop/again/uid-2")
	s, _ := open(t, config)
	put(t, client(t, s, id), "1", "waits")
	s, _ = open(t, config)
	s.sweep(time.Now())
	s, _ = open(t, config)
	again := client(t, s, id)
	s.sweep(time.Now().Add(time.Hour))
	if got := get(t, again, "1"); got != "waits" {
		t.Errorf("the queue has %q", got)
	}
}

func wantFolders(t *testing.T, dir string, want int) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != want {
		t.Errorf("%v, want %d folders: %v", entries, want, err)
	}
}
