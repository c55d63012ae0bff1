package tally

import (
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/odi-dev/odi/bpf/probe"
)

// kernel counts as the programs do.
type kernel struct {
	of     map[Key]uint32
	places []Place
	refuse bool
}

var errFull = errors.New("full")

func (k *kernel) Put(key Key, at uint32) error {
	if k.refuse {
		return errFull
	}
	k.of[key] = at
	return nil
}

func (k *kernel) Delete(key Key) error { delete(k.of, key); return nil }

// count says whether a request was counted in a place.
func count(p *Place, took, size uint64) bool {
	if took < p.took.Least || took > p.took.Most || size < p.response.Least || size > p.response.Most {
		return false
	}
	atomic.AddUint32(&p.times[bucket(times[:], took)], 1)
	atomic.AddUint64(&p.tookSum, took)
	atomic.AddUint32(&p.responses[bucket(sizes[:], size)], 1)
	atomic.AddUint64(&p.respSum, size)
	return true
}

func bucket(bounds []uint64, value uint64) (n int) {
	for _, b := range bounds {
		if value > b {
			n++
		}
	}
	return n
}

// TestNothingIsLostOrCountedTwice has random requests of some keys counted and told of, with fewer places than keys,
// while time goes by: what was told of and what was counted is all of them, each as who it was.
func TestNothingIsLostOrCountedTwice(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	k := &kernel{of: map[Key]uint32{}, places: make([]Place, 8)}
	for i := range k.places { // they have been used before, and begin again soon
		for j := range k.places[i].times {
			k.places[i].times[j] = ^uint32(0) - 2
		}
	}
	b := NewBook(k, k.places)
	now := time.Unix(1_700_000_000, 0)
	want, got := map[any]probe.Histogram{}, map[any]probe.Histogram{}
	add := func(to map[any]probe.Histogram, as any, n, sum uint64) {
		h := to[as]
		h.Count, h.Sum = h.Count+n, h.Sum+sum
		to[as] = h
	}
	late := []func(){}
	counted := 0
	for range 200_000 {
		now = now.Add(time.Duration(random.IntN(20)) * time.Millisecond)
		key := Key{PID: uint32(random.IntN(4)), Turn: uint32(now.Unix()/40%3) + 1, Status: uint16(random.IntN(6))}
		took, size := uint64(random.ExpFloat64()*1e7), uint64(random.IntN(1000))
		as := key
		add(want, as, 1, took)
		at, known := k.of[key]
		switch {
		case known && random.IntN(100) == 0: // a program that has looked the place up counts later
			late = append(late, func() {
				if !count(&k.places[at], took, size) {
					add(got, as, 1, took)
				}
			})
			continue
		case known && count(&k.places[at], took, size):
			counted++
			continue
		}
		add(got, as, 1, took)
		x := &probe.Exchange{Start: now, End: now.Add(time.Duration(took)), RequestBodySize: -1, ResponseBodySize: int64(size), CountAs: as}
		b.Told(&key, x, []byte{byte(key.Status)}, now)
		if random.IntN(50) == 0 {
			for _, f := range late {
				f()
			}
			late = nil
		}
		if random.IntN(200) == 0 {
			drain(t, b, now, got, random.IntN(4) == 0)
		}
		k.refuse = random.IntN(10) == 0
	}
	for _, f := range late {
		f()
	}
	drain(t, b, now, got, false)
	for as, h := range want {
		if got[as].Count != h.Count || got[as].Sum != h.Sum {
			t.Errorf("%v: %d in %d ns, want %d in %d", as, got[as].Count, got[as].Sum, h.Count, h.Sum)
		}
	}
	if t.Logf("%d of 200,000 were counted", counted); counted < 10_000 {
		t.Error("hardly any")
	}
}

func drain(t *testing.T, b *Book, now time.Time, got map[any]probe.Histogram, stop bool) {
	t.Helper()
	b.Drain(now, func(event []byte, as any, tally *probe.Tally) any {
		key := as.(Key)
		if event[0] != byte(key.Status) {
			t.Fatalf("%v is told of as %d", key, event[0])
		}
		if tally.Took.Count != tally.Response.Count || tally.Request.Count != 0 {
			t.Fatalf("%+v", tally)
		}
		h := got[as]
		h.Count, h.Sum = h.Count+tally.Took.Count, h.Sum+tally.Took.Sum
		got[as] = h
		if stop {
			return nil
		}
		return as
	})
}

func TestHowOftenAKeyCounts(t *testing.T) {
	k := &kernel{of: map[Key]uint32{}, places: make([]Place, 1)}
	b := NewBook(k, k.places)
	now := time.Unix(1_700_000_000, 0)
	tell := func(key Key) {
		b.Told(&key, &probe.Exchange{Start: now, End: now.Add(time.Second), CountAs: 1}, nil, now)
	}
	for range often - 1 {
		tell(Key{PID: 1})
		now = now.Add(time.Millisecond)
	}
	now = now.Add(forget + time.Second)
	tell(Key{PID: 1})
	if len(k.of) > 0 {
		t.Error("what comes now and then has a place")
	}
	for range often {
		tell(Key{PID: 2})
	}
	if len(k.of) != 1 {
		t.Fatal("what comes often has no place")
	}
	for range often {
		tell(Key{PID: 3})
	}
	if len(k.of) != 1 {
		t.Error("more have places than there are")
	}
	keep := func(_ []byte, as any, _ *probe.Tally) any { return as }
	now = now.Add(idle + time.Second)
	b.Drain(now, keep)
	for range often {
		tell(Key{PID: 3})
	}
	if len(k.of) != 0 {
		t.Error("a place that was given up is another's at once")
	}
	now = now.Add(settle + time.Second)
	b.Drain(now, keep)
	for range often {
		tell(Key{PID: 3})
	}
	if len(k.of) != 1 {
		t.Error("a place that was given up is nobody's")
	}
}

// TestSizes: both are read as the programs have them; bpf.TestLayouts compares with these.
func TestSizes(t *testing.T) {
	if k, p := unsafe.Sizeof(Key{}), unsafe.Sizeof(Place{}); k != 192 || p != 240 {
		t.Errorf("a key has %d bytes, a place %d", k, p)
	}
}
