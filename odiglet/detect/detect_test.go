package detect

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/languages/language"
)

func TestBusyWhenEverySlotHangs(t *testing.T) {
	d := New()
	for range maxHung {
		d.slots <- struct{}{}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if _, err := d.Detect(ctx, os.Getpid()); !errors.Is(err, ErrBusy) {
		t.Errorf("got %v, want ErrBusy", err)
	}
	<-d.slots
	if _, err := d.Detect(context.Background(), os.Getpid()); err != nil {
		t.Errorf("with one slot free: %v", err)
	}
}

func TestCacheGivesTheSameAnswer(t *testing.T) {
	d := New()
	first, err1 := d.Detect(context.Background(), os.Getpid())
	if len(d.cache.entries) != 1 {
		t.Fatalf("got %d entries, want 1", len(d.cache.entries))
	}
	second, err2 := d.Detect(context.Background(), os.Getpid())
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("-first +second:\n%s", diff)
	}
	if first.Runtime.Language != language.Go || first.Executable.Inode == 0 {
		t.Errorf("got %+v", first)
	}
}

func TestCacheIsBounded(t *testing.T) {
	c := newCache(4)
	for i := range uint64(100) {
		c.put(key{rest: i}, language.Runtime{Language: language.Go})
		if _, ok := c.get(key{rest: i}); !ok || len(c.entries) > 4 {
			t.Fatalf("after %d: %d entries, found %v", i+1, len(c.entries), ok)
		}
	}
}

func TestBehindLoader(t *testing.T) {
	const loader = "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"
	tests := map[string]struct {
		process language.Process
		want    string
	}{
		"no loader":                            {language.Process{Exe: "/app", Args: []string{"./app"}, Maps: []string{"/app"}}, ""},
		"a loader":                             {language.Process{Exe: loader, Args: []string{"ld.so", "--preload", "x", "./app"}, Maps: []string{"/srv/app", loader}}, "/srv/app"},
		"musl's loader":                        {language.Process{Exe: "/lib/ld-musl-x86_64.so.1", Args: []string{"ld", "app"}, Maps: []string{"/bin/app"}}, "/bin/app"},
		"a loader that has loaded nothing yet": {language.Process{Exe: loader, Args: []string{loader, "/app"}, Maps: []string{loader}}, ""},
		"no arguments":                         {language.Process{Exe: loader, Maps: []string{loader}}, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := behindLoader(tc.process); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
