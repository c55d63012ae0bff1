package bpf

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/cilium/ebpf"

	"github.com/odi-dev/odi/bpf/golang"
	"github.com/odi-dev/odi/bpf/probe"
)

// Bits of target.flags in include/types.h.
const (
	flagGo = 1 << iota
	flagProxy
	flagStrict
	flagPropagate
	flagChildren
	flagRoundTrip
	flagPolls
	flagBatches
	flagWatches
	flagMany
	flagAsksAgain
	flagStreams
	flagStreamPoints
)

// eventLoopProxies are known by the name of their executable. Nginx and its
// descendants forward a request before they turn to the next one, and ask
// FIONREAD whether to read on; the others receive many and then forward them.
var (
	eventLoopProxies = []string{"nginx", "openresty", "angie", "tengine", "haproxy", "envoy"}
	nginxes          = eventLoopProxies[:4]
)

// targetValue is struct target in include/types.h.
type targetValue struct {
	WriteLoopPC uint64
	GoIDGen     uint64
	GoID        uint16
	ParentGoID  uint16
	StartPC     uint16
	PersistConn uint16
	Sysfd       uint16
	Family      uint16
	Flags       uint16
	GM          uint16
	MP          uint16
	MOldP       uint16
	GoIDCache   uint16
	TLSSlot     uint16
	Stream      uint16
	Rules       uint16
	_           [2]uint16
	PID         uint32
	Turn        uint32
	LeftOut     uint64
	Open        uint32
	Streak      uint32
	Trust       uint32
	Parts       uint32
	Clients     uint64
	Linked      uint64
	Encrypted   uint32
	Serves      uint32
}

// target is what user space knows of one watched process.
type target struct {
	probe.Target
	tgid     uint32 // the number that the programs know it by
	parent   uint32 // the process that has forked it since it was watched, or 0
	golang   bool
	goReason string
	uprobes  []io.Closer // see golinks.go
	watch    *ioctlWatch // until the first FIONREAD, or nil
	tls      *tlsWatch   // the libraries that it encrypts with
	goTLS    golang.TLS  // the places in its own crypto/tls
	turn     uint32      // targetValue.Turn; 0: it runs another program since
}

func (t *target) close() error {
	t.watch.close()
	t.tls.close()
	var errs []error
	for _, p := range t.uprobes {
		errs = append(errs, p.Close())
	}
	return errors.Join(errs...)
}

// forgetStrangers has the programs look for the target that has just been added.
// e.mu keeps the number from going back.
func (e *Engine) forgetStrangers() error {
	const addedByUser = uint32(0)
	e.added++
	return e.maps["added"].Put(addedByUser, e.added)
}

// AddTarget starts to watch a process; connections that are open already are
// picked up. Adding a target again replaces its settings. An error means that
// the process is not watched.
func (e *Engine) AddTarget(t probe.Target) error {
	who, err := e.finder.find(t.PID)
	if err != nil {
		return fmt.Errorf("watching process %d: %w", t.PID, err)
	}
	value, err := e.valueOf(t)
	if err != nil {
		return fmt.Errorf("watching process %d: %w", t.PID, err)
	}
	state := &target{Target: t, tgid: who.tgid, turn: value.Turn}
	e.useGo(state, &value)
	was := e.valueBefore(who.tgid)
	value.Flags = e.fionread.limit(value.Flags | was.Flags&flagPolls)
	value.Serves = was.Serves // what it serves now goes on
	if value.Flags&flagBatches != 0 {
		if err := e.batches.begin(e.maps["waitings"], e.waitings); err != nil {
			return fmt.Errorf("watching process %d: %w", t.PID, err)
		}
	}
	e.adoptOpen(state)
	watched := e.watchIoctl(state, &value)
	if err := e.put(who, &value); err != nil {
		return errors.Join(fmt.Errorf("watching process %d: %w", t.PID, err), state.close())
	}
	e.mu.Lock()
	before := e.targets[t.PID]
	e.targets[t.PID] = state
	delete(e.removed, t.PID)
	err = e.forgetStrangers()
	e.mu.Unlock()
	if before != nil {
		_ = before.close() // its probe is replaced by the new one's
	}
	if err != nil {
		return fmt.Errorf("watching process %d: %w", t.PID, err)
	}
	e.verifyWatch(state)
	e.watchTLS(state, append([]time.Duration{0}, libraryLooks()...))
	if value.Flags&flagPropagate == 0 && was.Flags&flagPropagate != 0 {
		e.releaseFormer()
	} else if watched {
		e.propagate(state, who, value.Flags)
	}
	return nil
}

// valueOf is what the programs are told of a target, without what its program is made of.
func (e *Engine) valueOf(t probe.Target) (targetValue, error) {
	exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", t.PID))
	if err != nil {
		return targetValue{}, err
	}
	rules, err := e.ruleSets.number(e.maps, t.Sampling.Rules())
	if err != nil {
		return targetValue{}, err
	}
	return targetValue{PID: t.PID, Turn: e.turn.Add(1), LeftOut: t.Sampling.LeftOut(), Rules: rules, Flags: flagsOf(t, exe)}, nil
}

// propagate takes the connections of a target that are open into the socket maps, unless
// nothing is to be written.
func (e *Engine) propagate(t *target, who found, flags uint16) {
	if flags&flagPropagate == 0 {
		return
	}
	if flags&flagPolls != 0 {
		e.guardVerdict()
	}
	e.cover(t.PID, who)
	e.adoptSockets(t, flags&flagPolls != 0)
}

// adoptOpen looks at what a process that was no target has open already.
func (e *Engine) adoptOpen(t *target) {
	if e.known(t.PID) == nil {
		e.adoptFlows(t)
	}
	e.wakeIfUnix(t.PID)
}

// known returns what is known of a target, nil if it is none.
func (e *Engine) known(pid uint32) *target {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.targets[pid]
}

// put makes a process a target. One that ends meanwhile is taken out again: the
// program that sees its end may have run before.
func (e *Engine) put(who found, value *targetValue) error {
	if err := e.maps["targets"].Put(who.tgid, value); err != nil {
		return err
	}
	if e.finder.alive(who, value.PID) {
		return nil
	}
	return errors.Join(os.ErrProcessDone, e.ignore(who.tgid))
}

func flagsOf(t probe.Target, exe string) uint16 {
	var flags uint16
	name := filepath.Base(strings.TrimSuffix(exe, " (deleted)"))
	if t.EventLoopProxy || slices.Contains(eventLoopProxies, name) {
		flags |= flagProxy
	}
	if slices.Contains(nginxes, name) {
		flags |= flagPolls
	} else if flags&flagProxy != 0 {
		flags |= flagBatches
	}
	if t.Strict {
		flags |= flagStrict
	}
	if t.AsksAgain {
		flags |= flagAsksAgain
	}
	if t.Propagate {
		flags |= flagPropagate
	}
	if t.Children {
		flags |= flagChildren
	}
	return flags
}

// RemoveTarget stops to watch a process: from here on nothing of it is seen, and
// its connections leave the socket maps soon, without losing a byte. Removing an
// unknown one is no error.
func (e *Engine) RemoveTarget(pid uint32) error {
	who, gone := e.finder.find(pid)
	e.mu.Lock()
	t := e.targets[pid]
	delete(e.targets, pid)
	if t != nil && gone == nil {
		e.removed[pid] = struct{}{} // until its exit
	}
	e.mu.Unlock()
	if t == nil && gone != nil {
		return nil
	}
	if t == nil {
		t = &target{tgid: who.tgid}
	}
	err := e.ignore(t.tgid)
	if gone == nil && who.tgid == t.tgid {
		e.releaseFormer() // or they close by themselves
	}
	return errors.Join(err, t.close())
}

// ignore tells the programs that a process is no target any more. tgid is the
// number that they know it by.
func (e *Engine) ignore(tgid uint32) error {
	e.letGo(tgid)
	if err := e.maps["targets"].Delete(tgid); err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
		return fmt.Errorf("letting go of process %d: %w", tgid, err)
	}
	return nil
}

func (e *Engine) isRemoved(pid uint32) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, removed := e.removed[pid]
	return removed
}

// TargetStatus tells how the requests of a target are linked.
type TargetStatus struct {
	PID uint32
	// Go says that goroutines are told apart; GoReason why not, if the binary is Go.
	Go       bool
	GoReason string
	// Trust is one of "goroutine", "strict", "thread", "moved", "proxy".
	Trust string
	// OpenRequests is the number of server requests without an answer.
	OpenRequests int
	// ClientSpans and LinkedClientSpans count outgoing requests since the target was added.
	ClientSpans       uint64
	LinkedClientSpans uint64
	// TLS says that what it encrypts is seen: probes are on a library that does.
	TLS bool
	// Unread is when the first connection was seen that it encrypts, where no library of its is read;
	// zero: there was none, or probes have found one by now.
	Unread time.Time
	// Unlinked says why none of its outgoing requests has a parent and what would
	// give them one; empty where one has, or too few were seen.
	Unlinked string
}

// Targets reports the targets, including forked children of targets, by process id.
func (e *Engine) Targets() []TargetStatus {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := make([]TargetStatus, 0, len(e.targets))
	for pid, t := range e.targets {
		var v targetValue
		if err := e.maps["targets"].Lookup(t.tgid, &v); err != nil {
			continue // exited; its notice is on the way
		}
		all = append(all, TargetStatus{
			PID: pid, Go: t.golang, GoReason: t.goReason, Trust: trustOf(&v), OpenRequests: int(v.Open),
			ClientSpans: v.Clients, LinkedClientSpans: v.Linked, Unlinked: unlinked(&v),
			TLS: t.readsTLS(), Unread: t.unread(),
		})
	}
	sort.Slice(all, func(i, j int) bool { return all[i].PID < all[j].PID })
	return all
}

func trustOf(v *targetValue) string {
	switch {
	case v.Flags&flagGo != 0:
		return "goroutine"
	case v.Flags&flagProxy != 0:
		return "proxy"
	case v.Flags&flagStrict != 0:
		return "strict"
	}
	return [...]string{"strict", "thread", "moved"}[min(v.Trust, 2)]
}
