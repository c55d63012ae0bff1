package bpf

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"

	"github.com/odi-dev/odi/bpf/golang"
	"github.com/odi-dev/odi/bpf/libc"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/protocols"
)

// DefaultRingBytes holds about 6,000 finished requests: 300 ms at 20,000 a second.
const DefaultRingBytes = 4 << 20

// Options configure an engine. The zero value is usable.
type Options struct {
	// CgroupPath is the cgroup v2 directory below which outgoing connections can
	// get a traceparent. Empty means the root of the cgroup v2 mount of PID 1.
	CgroupPath string
	// RingBytes is the size of the event ring, rounded up to a power of two.
	// Zero means DefaultRingBytes.
	RingBytes int
	// AtOnce has Load wait for what is otherwise loaded beside everything else, or when the first
	// target needs it, and AddTarget for probes on what the target may encrypt with: it may live for
	// less than that takes.
	AtOnce bool
	// Log receives what happens once per target or feature, never per request.
	// Nil means slog.Default.
	Log *slog.Logger
}

// Engine is the set of programs and maps in the kernel. All methods may be
// called concurrently; Close may be called twice and before Run.
type Engine struct {
	log      *slog.Logger
	opts     Options
	maps     map[string]*ebpf.Map
	progs    map[string]*ebpf.Program
	ahead    map[string]*ahead // used by Load only
	links    []link.Link
	connects connects
	waking   waking

	features []probe.Feature
	events   *ringbuf.Reader
	notices  *noticeReader
	clock    wallClock
	fionread fionread
	finder   *finder
	goFacts  *golang.Inspector
	ioctls   *libc.Finder
	asks     *sharedProbes // nil where the kernel shows who asks
	sessions *sessions
	uprobes  *uprobes
	ruleSets ruleSets
	waitings *ebpf.MapSpec // of the room in batches
	batches  batches
	tallies  tallies
	rooms    rooms
	// followers are those of the protocols whose events are parts of requests, by code;
	// used by Run only.
	followers [1 << 8]probe.Follower
	unmade    unmade
	// names are those of protocols whose requests may be counted in the kernel, by code.
	names   [1 << 8]func(*probe.Names, []byte, bool) bool
	leaving *leaving       // nil: nothing enters the socket maps
	flows   *link.Iter     // over the TCP connections of targets; nil: they are not followed
	others  *link.Iter     // over all maps of the machine; nil: they cannot be seen
	aside   atomic.Bool    // nothing enters them any more, see others.go
	closing chan struct{}  // closed by Close
	turn    atomic.Uint32  // of AddTarget
	later   sync.WaitGroup // what goes on beside the readers of the rings

	mu      sync.Mutex
	targets map[uint32]*target  // by the number in /proc
	added   uint32              // number of AddTarget calls
	removed map[uint32]struct{} // asked to be forgotten; their late events are ignored
	closed  bool
	drops   map[string]uint64 // set by Close, which takes the counters away
}

// Load loads and attaches the programs. It fails only if socket spans cannot
// be had at all; other features that cannot be had are reported by Features.
func Load(opts Options) (*Engine, error) {
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	e := &Engine{
		log:     opts.Log,
		opts:    opts,
		maps:    map[string]*ebpf.Map{},
		progs:   map[string]*ebpf.Program{},
		ahead:   map[string]*ahead{},
		targets: map[uint32]*target{},
		removed: map[uint32]struct{}{},
		closing: make(chan struct{}),
		rooms:   rooms{done: make(chan struct{})},
		waking:  waking{loaded: make(chan struct{})},
		goFacts: golang.NewInspector(),
		ioctls:  libc.NewFinder("ioctl"),
		uprobes: newUprobes(),
	}
	e.sessions = newSessions(e)
	for _, p := range protocols.All() {
		if e.names[p.Code] = p.Names; p.Follow != nil {
			e.followers[p.Code] = p.Follow(e.unmade.add)
		}
	}
	if err := e.start(); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

func (e *Engine) start() error {
	k, err := newKit(e.opts.RingBytes)
	if err != nil {
		return err
	}
	e.clock.refresh()
	if e.finder, err = newFinder(k); err != nil {
		return fmt.Errorf("loading what finds processes: %w", err)
	}
	e.waitings = k.Maps["waitings"].InnerMap
	e.loadGroups(k)
	for _, f := range e.features {
		if f.Name == probe.SocketSpans && f.State == probe.Unavailable {
			return fmt.Errorf("loading socket spans: %s", f.Reason)
		}
	}
	if e.events, err = ringbuf.NewReader(e.maps["events"]); err != nil {
		return fmt.Errorf("opening the event ring: %w", err)
	}
	if err := e.tallies.start(e.maps); err != nil {
		return err
	}
	if e.notices, err = newNoticeReader(e.maps["notices"], e.onNotice); err != nil {
		return err
	}
	e.later.Go(e.sweepNowAndThen)
	e.later.Go(func() {
		e.loadWaking(k)
		e.loadRooms(k)
	})
	if e.opts.AtOnce {
		_ = e.sessions.ready() // said by Features
		e.AwaitProtocols()
	}
	return nil
}

// Features reports every capability and its state on this kernel.
func (e *Engine) Features() []probe.Feature {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]probe.Feature(nil), e.features...)
}

// Close detaches everything and frees it. Run returns first if it still runs.
func (e *Engine) Close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	e.closed = true
	close(e.closing)
	targets := e.targets
	e.targets = map[uint32]*target{}
	e.mu.Unlock()

	var errs []error
	// Readers first: nothing may read a ring that is unmapped. Then what feeds
	// them, then the sockets, whose maps must outlive the programs on them.
	if e.events != nil {
		errs = append(errs, e.events.Close())
	}
	if e.notices != nil {
		errs = append(errs, e.notices.close())
	}
	e.later.Wait() // it puts sockets into maps, and only the notices start more of it
	errs = append(errs, e.connects.close(), e.waking.close())
	for _, t := range targets {
		errs = append(errs, e.ignore(t.tgid), t.close())
	}
	e.uprobes.wait()
	errs = append(errs, e.sessions.close())
	if e.leaving != nil {
		errs = append(errs, e.releaseSockets(everybodys), e.leaving.close())
	}
	for i := len(e.links) - 1; i >= 0; i-- {
		errs = append(errs, e.links[i].Close())
	}
	e.rooms.close()
	for _, p := range e.progs {
		errs = append(errs, p.Close())
	}
	if e.finder != nil {
		errs = append(errs, e.finder.close())
	}
	errs = append(errs, e.batches.close(), e.tallies.close())
	last := e.Drops()
	e.mu.Lock()
	e.drops = last
	e.mu.Unlock()
	for _, m := range e.maps {
		errs = append(errs, m.Close())
	}
	return errors.Join(errs...)
}
