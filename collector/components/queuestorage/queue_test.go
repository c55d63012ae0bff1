package queuestorage

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/otel/metric/noop"
	"go.uber.org/zap"
	"google.golang.org/protobuf/encoding/protowire"
)

var exporterID = component.MustNewIDWithName("otlp_grpc", "shop/jaeger/uid-1")

// open starts a store, as the collector does, and asks for one queue.
func open(t *testing.T, config Config) (*store, *queue) {
	t.Helper()
	if config.MaxBytes == 0 {
		config.MaxBytes = 1 << 30
	}
	if config.MaxQueueBytes == 0 {
		config.MaxQueueBytes = 1 << 30
	}
	if config.SweepAfter == 0 {
		config.SweepAfter = time.Minute
	}
	s, err := newStore(component.TelemetrySettings{Logger: zap.NewNop(), MeterProvider: noop.NewMeterProvider()}, &config)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	return s, client(t, s, exporterID)
}

func client(t *testing.T, s *store, id component.ID) *queue {
	t.Helper()
	c, err := s.GetClient(t.Context(), component.KindExporter, id, "traces")
	if err != nil {
		t.Fatal(err)
	}
	return c.(*queue)
}

func put(t *testing.T, q *queue, key, value string) {
	t.Helper()
	if err := q.Set(t.Context(), key, []byte(value)); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, q *queue, key string) string {
	t.Helper()
	value, err := q.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(value)
}

func TestAQueueIsAMapThatOutlivesItsProcess(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	dir, model := t.TempDir(), map[string]string{}
	s, q := open(t, Config{Directory: dir})
	for step := range 3000 {
		key := strconv.Itoa(random.IntN(40))
		switch random.IntN(8) {
		case 0, 1, 2:
			model[key] = strings.Repeat("x", random.IntN(20_000)) + strconv.Itoa(step)
			put(t, q, key, model[key])
		case 3, 4:
			delete(model, key)
			if err := q.Delete(t.Context(), key); err != nil {
				t.Fatal(err)
			}
		case 5, 6:
			if got := get(t, q, key); got != model[key] {
				t.Fatalf("step %d: %q is %.20q, want %.20q", step, key, got, model[key])
			}
		case 7:
			if err := q.Delete(t.Context(), accountingKey); err != nil { // Numbers alone would have it made anew.
				t.Fatal(err)
			}
			s, q = open(t, Config{Directory: dir})
		}
	}
	used, err := diskUsage(dir)
	if err != nil {
		t.Fatal(err)
	}
	if own, all := s.room.of(q), s.room.all(); own != used || all != used {
		t.Errorf("%d bytes are on the disk; the queue counts %d, the store %d", used, own, all)
	}
}

func TestKeysAndIDsStayInTheirFolder(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, Config{Directory: filepath.Join(dir, "queues")})
	long := strings.Repeat("n", 250)
	for _, name := range []string{"../../x", "/etc", "..", "a%2Fb", "a/b", long, long + "2", ""} {
		q := client(t, s, component.MustNewIDWithName("otlp", "x"+name))
		for _, key := range []string{"../../../x", "..", "/x", "a/b"} {
			put(t, q, key, name+key)
			if got := get(t, q, key); got != name+key {
				t.Errorf("%q of %q is %q", key, name, got)
			}
		}
		if filepath.Dir(q.folder) != s.config.Directory {
			t.Errorf("the queue of %q lies in %s", name, q.folder)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("%v lie beside the queues: %v", entries, err)
	}
}

// TestAnyDamageCostsOneItem changes, cuts and empties the files of a queue, and
// lays things in their way: each time the queue opens and has all other items.
func TestAnyDamageCostsOneItem(t *testing.T) {
	damages := map[string]func(path string) error{
		"a changed byte": func(path string) error {
			content, err := os.ReadFile(path)
			content[len(content)/2] ^= 1
			return errors.Join(err, os.WriteFile(path, content, fileMode))
		},
		"cut":   func(path string) error { return os.Truncate(path, 20) },
		"empty": func(path string) error { return os.Truncate(path, 0) },
		"zeros": func(path string) error { return os.WriteFile(path, make([]byte, 4096), fileMode) },
		"a folder": func(path string) error {
			return errors.Join(os.Remove(path), os.MkdirAll(filepath.Join(path, "x"), folderMode))
		},
		"another's":    func(path string) error { return os.WriteFile(path, bytes.Repeat([]byte("bolt"), 9000), fileMode) },
		"a dead link":  func(path string) error { return errors.Join(os.Remove(path), os.Symlink("/nowhere", path)) },
		"it is gone":   os.Remove,
		"left a write": func(path string) error { return os.Rename(path, filepath.Join(filepath.Dir(path), unfinished)) },
	}
	for name, damage := range damages {
		for _, victim := range []string{"4", accountingKey} {
			t.Run(name+" of "+victim, func(t *testing.T) {
				dir := t.TempDir()
				_, q := open(t, Config{Directory: dir})
				put(t, q, accountingKey, "the accounting of the exporter")
				for i := range 6 {
					put(t, q, strconv.Itoa(3+i), fmt.Sprintf("the item %d, as it was written", 3+i))
				}
				if err := damage(filepath.Join(q.folder, fileName(victim))); err != nil {
					t.Fatal(err)
				}
				_, q = open(t, Config{Directory: dir})
				for i := range 6 {
					key, want := strconv.Itoa(3+i), fmt.Sprintf("the item %d, as it was written", 3+i)
					if key == victim {
						want = ""
					}
					if got := get(t, q, key); got != want {
						t.Errorf("%s is %q, want %q", key, got, want)
					}
				}
				if victim == accountingKey {
					wantAccount(t, get(t, q, accountingKey), 3, 9)
				}
			})
		}
	}
}

func wantAccount(t *testing.T, account string, read, write uint64) {
	t.Helper()
	got := map[protowire.Number]uint64{}
	for b := []byte(account); len(b) > 0; {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 || kind != protowire.Fixed64Type {
			t.Fatalf("the accounting %q is no message", account)
		}
		value, m := protowire.ConsumeFixed64(b[n:])
		got[number], b = value, b[n+m:]
	}
	if got[fieldRead] != read || got[fieldWrite] != write || got[fieldBytes] == 0 {
		t.Errorf("the accounting is %v, want items from %d to %d", got, read, write)
	}
}

func TestDamageIsCountedAndAFewFilesAreKept(t *testing.T) {
	_, q := open(t, Config{Directory: t.TempDir()})
	for i := range 20 {
		put(t, q, strconv.Itoa(i), "item")
		if err := os.Truncate(filepath.Join(q.folder, fileName(strconv.Itoa(i))), 3); err != nil {
			t.Fatal(err)
		}
		get(t, q, strconv.Itoa(i))
	}
	if _, got := q.state(); got != 20 {
		t.Errorf("%d items are counted as damaged, want 20", got)
	}
	kept, err := os.ReadDir(q.asides)
	if err != nil || len(kept) != mostAsides {
		t.Errorf("%d are kept, want %d: %v", len(kept), mostAsides, err)
	}
	if used := q.room.of(q); used != 0 {
		t.Errorf("%d bytes are counted for an empty queue", used)
	}
}

func TestWhatLiesInThePlaceOfAQueueIsSetAside(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, folderName(exporterID.String(), "traces")), []byte("x"), fileMode); err != nil {
		t.Fatal(err)
	}
	_, q := open(t, Config{Directory: dir})
	put(t, q, "1", "a")
	if got := get(t, q, "1"); got != "a" || q.damaged != 1 {
		t.Errorf("got %q, %d damaged", got, q.damaged)
	}
}

// fill puts items of one block into a queue until it is full.
func fill(t *testing.T, q *queue) int {
	t.Helper()
	for i := range 1000 {
		err := q.Batch(t.Context(), storage.SetOperation(accountingKey, []byte("a")), storage.SetOperation(strconv.Itoa(i), make([]byte, 3000)))
		if errors.Is(err, storage.ErrStorageFull) {
			return i
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("it is never full")
	return 0
}

func TestAFullQueueRefusesItemsAndStillGivesThemOut(t *testing.T) {
	_, q := open(t, Config{Directory: t.TempDir(), MaxQueueBytes: 10 * block})
	put(t, q, accountingKey, "a")
	if got := fill(t, q); got != 9 {
		t.Errorf("%d items fit into ten blocks beside the accounting, want 9", got)
	}
	remove, get := storage.DeleteOperation("0"), storage.GetOperation("0")
	if err := q.Batch(t.Context(), storage.SetOperation(accountingKey, make([]byte, 9000)), remove, get); err != nil || get.Value == nil {
		t.Errorf("a full queue gave out %d bytes: %v", len(get.Value), err)
	}
	if got := fill(t, q); got != 0 {
		t.Errorf("it took %d items, its accounting has grown by two blocks", got)
	}
}

// TestEachQueueHasItsPartHoweverFullTheOthersAre has twenty queues, nineteen of them with dead backends.
func TestEachQueueHasItsPartHoweverFullTheOthersAre(t *testing.T) {
	s, good := open(t, Config{Directory: t.TempDir(), MaxQueueBytes: 50 * block, MaxBytes: 400 * block})
	dead := make([]*queue, 19)
	for i := range dead {
		dead[i] = client(t, s, component.MustNewIDWithName("otlp_grpc", fmt.Sprintf("shop/dead/%d", i)))
	}
	first := fill(t, dead[0])
	for _, q := range dead[1:] {
		if got := fill(t, q); got < 400/guaranteed/20-1 {
			t.Errorf("a queue has room for %d items, which is less than its part", got)
		}
	}
	if first != 49 {
		t.Errorf("the first has room for %d items, want all that one queue may have", first)
	}
	if got := fill(t, good); got < 400/guaranteed/20-1 {
		t.Errorf("the good one has room for %d items", got)
	}
	if used := s.room.all(); used > 400*block {
		t.Errorf("%d bytes are used, %d are allowed", used, 400*block)
	}
}

func TestTheItemsThatWaitAreKnown(t *testing.T) {
	dir := t.TempDir()
	_, q := open(t, Config{Directory: dir})
	put(t, q, accountingKey, string(accountOf(3, 45, 100)))
	if items, _ := q.state(); items != 42 {
		t.Errorf("%d items wait, want 42", items)
	}
	_, q = open(t, Config{Directory: dir})
	if items, _ := q.state(); items != 42 {
		t.Errorf("%d items wait after a restart, want 42", items)
	}
	for _, odd := range []string{"", "x", "\x0a", "\xff\xff\xff"} {
		if got := itemsOf([]byte(odd)); got != 0 {
			t.Errorf("%q says %d", odd, got)
		}
	}
}
