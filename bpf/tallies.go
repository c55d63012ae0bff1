package bpf

import (
	"encoding/binary"
	"fmt"
	"sync"
	"time"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/tally"
)

// tallies are the requests that the programs count instead of telling of each.
type tallies struct {
	mu     sync.Mutex // guards what close takes away
	book   *tally.Book
	memory []byte    // of the places
	told   time.Time // when they were delivered last
}

// keys is tally_names as the book needs it.
type keys struct{ names *ebpf.Map }

func (k keys) Put(key tally.Key, place uint32) error { return k.names.Put(&key, place) }
func (k keys) Delete(key tally.Key) error            { return k.names.Delete(&key) }

// tellBounds gives programs the buckets that they count by.
func tellBounds(spec *ebpf.CollectionSpec) error {
	for name, bounds := range map[string]any{"tally_times": tally.Times(), "tally_sizes": tally.Sizes()} {
		if err := spec.Variables[name].Set(bounds); err != nil {
			return fmt.Errorf("setting %s: %w", name, err)
		}
	}
	return nil
}

// start maps the places.
func (t *tallies) start(maps map[string]*ebpf.Map) (err error) {
	places := maps["tallies"]
	n := int(places.MaxEntries())
	t.memory, err = unix.Mmap(places.FD(), 0, n*int(unsafe.Sizeof(tally.Place{})), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("mapping what is counted in the kernel: %w", err)
	}
	t.told = time.Now()
	t.book = tally.NewBook(keys{maps["tally_names"]}, unsafe.Slice((*tally.Place)(unsafe.Pointer(unsafe.SliceData(t.memory))), n))
	return nil
}

// tell takes an event whose handler would rather have such requests counted.
func (e *Engine) tell(d *delivery) {
	x, raw := &d.exchange, d.record.RawSample
	names := e.names[x.Protocol]
	if x.CountAs == nil || x.TraceFlags&probe.Sampled != 0 || names == nil || x.HeadTruncated || x.Preface != nil {
		return
	}
	key := tally.Key{Turn: e.turnOf(x.PID)}
	if key.Turn == 0 || !names(&key.Names, x.RequestHead, x.Kind == probe.Client) {
		return
	}
	fillKey(&key, raw, x.Kind)
	e.tallies.mu.Lock()
	defer e.tallies.mu.Unlock()
	if e.tallies.memory != nil {
		e.tallies.book.Told(&key, x, raw[:requestSize+len(x.RequestHead)], time.Now())
	}
}

// fillKey reads what begin_key of exchange/tally.h does out of an event.
func fillKey(key *tally.Key, raw []byte, kind probe.Kind) {
	port := raw[112:]
	if kind == probe.Client {
		port = raw[114:]
	}
	key.PID = binary.NativeEndian.Uint32(raw[120:])
	key.Peer = [16]byte(raw[96:112])
	key.Port = binary.NativeEndian.Uint16(port)
	key.Family = binary.NativeEndian.Uint16(raw[116:])
	key.Status = binary.NativeEndian.Uint16(raw[140:])
	key.Role, key.Link, key.Fault, key.Protocol, key.TLS = raw[146], raw[147], raw[150], raw[151], raw[149]&bitTLS
}

// tellTallies delivers what was counted.
func (e *Engine) tellTallies(d *delivery) {
	e.tallies.mu.Lock()
	defer e.tallies.mu.Unlock()
	if e.tallies.memory == nil {
		return
	}
	since, now := e.tallies.told, time.Now()
	e.tallies.told = now
	x := &d.exchange
	e.tallies.book.Drain(now, func(event []byte, as any, t *probe.Tally) any {
		if !parseExchange(x, event, &e.clock) {
			return nil
		}
		x.Start, x.Answered, x.End = since, time.Time{}, now
		x.RequestBodySize, x.ResponseBodySize = -1, -1
		x.Tally, x.CountAs = t, as
		d.handle(x)
		return x.CountAs
	})
}

// turnOf is the number of the addition of a target, as the programs have it; 0: not known.
func (e *Engine) turnOf(pid uint32) uint32 {
	e.mu.Lock()
	defer e.mu.Unlock()
	if t := e.targets[pid]; t != nil {
		return t.turn
	}
	return 0
}

// close takes the places away. What was counted and not told of is lost.
func (t *tallies) close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.memory == nil {
		return nil
	}
	err := unix.Munmap(t.memory)
	t.memory, t.book = nil, nil
	return err
}
