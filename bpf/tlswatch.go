package bpf

import (
	"fmt"
	"io"
	"time"

	"github.com/cilium/ebpf/link"

	"github.com/odi-dev/odi/bpf/openssl"
	"github.com/odi-dev/odi/internal/procfs"
)

// tlsWatch is the probes of a target on functions of libraries that encrypt. A nil one has none.
// Engine.mu guards it.
type tlsWatch struct {
	probes map[procfs.FileIdentity]io.Closer
	// expected are those on libraries that the process has not loaded yet, see expectTLS.
	expected map[procfs.FileIdentity]io.Closer
	since    time.Time
	forks    int         // children, since then
	programs int         // that its children have begun and that encrypt
	shared   []io.Closer // its parts in probes for every process, see shareTLS
	early    []io.Closer // the same, until the last look
	unread   time.Time   // when a connection was seen that no probe has seen the beginning of; zero: never
	closed   bool
}

// close begins to take the probes away.
func (w *tlsWatch) close() {
	if w == nil {
		return
	}
	w.closed = true
	takeAway(w.probes)
	takeAway(w.expected)
	_ = closeAll(append(w.shared, w.early...))
	w.shared, w.early = nil, nil
}

func takeAway(probes map[procfs.FileIdentity]io.Closer) {
	for on, p := range probes {
		_ = p.Close() // begins it; the rest is logged nowhere
		delete(probes, on)
	}
}

// execLooks are the pauses between looks for a library in a program that has just started: its
// loader is under way, and a short program asks soon.
func execLooks() []time.Duration {
	looks := []time.Duration{0}
	for pause := time.Millisecond; pause <= 8*time.Millisecond; pause *= 2 {
		looks = append(looks, pause)
	}
	return append(looks, libraryLooks()...)
}

// watchTLS looks for the libraries of a target that has been added, at once and a few more times:
// some are mapped when they are needed. With Options.AtOnce it returns when there are probes on what the
// target's program is going to load.
func (e *Engine) watchTLS(t *target, pauses []time.Duration) {
	e.mu.Lock()
	w := e.newTLSWatch(t)
	e.mu.Unlock()
	if w != nil && e.opts.AtOnce {
		e.expectTLS(t, w, true) // what it starts may live for less than probes of its own take
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lookForTLSSoon(t, w, pauses)
}

// watchTLSAnew does so for a target that runs another program now, beside everything else; e.mu is held.
func (e *Engine) watchTLSAnew(t *target) {
	if w := e.newTLSWatch(t); w != nil {
		e.later.Go(func() {
			e.expectTLS(t, w, false)
			e.keepLookingForTLS(t, w, execLooks())
		})
	}
}

// newTLSWatch replaces the watch that a target had; nil: it is none any more. e.mu is held.
func (e *Engine) newTLSWatch(t *target) *tlsWatch {
	if e.closed || e.targets[t.PID] != t {
		return nil
	}
	w := &tlsWatch{probes: map[procfs.FileIdentity]io.Closer{}, expected: map[procfs.FileIdentity]io.Closer{}, since: time.Now()}
	if t.tls != nil { // another program may load what the one before it did not
		w.expected, t.tls.expected = t.tls.expected, w.expected
		w.early, t.tls.early = t.tls.early, nil
	}
	t.tls.close()
	t.tls = w
	return w
}

// lookForTLSSoon looks beside everything else; e.mu is held.
func (e *Engine) lookForTLSSoon(t *target, w *tlsWatch, pauses []time.Duration) {
	if w != nil && !e.closed && len(pauses) > 0 {
		e.later.Go(func() { e.keepLookingForTLS(t, w, pauses) })
	}
}

// startsUp is how long a program takes at most to map its libraries, but for those that it maps when
// it needs them.
const startsUp = time.Second

// forksMany is after how many children a process is taken for a server that forks one for each
// connection, or for what starts a program again and again.
const forksMany = 16

// shareTLS has every process get the probes of a target that forks for each connection: a child has
// read its first request before probes of its own could be there. Processes that nobody watches
// pay for that, where they use the same file.
func (e *Engine) shareTLS(t *target, w *tlsWatch) {
	places, err := e.sessions.finder.Find(t.PID)
	if err != nil {
		return // gone
	}
	for _, at := range places {
		e.shareAt(w, &w.shared, at)
		_ = at.File.Close() // read only
	}
}

// shareAt has every process get probes on a library. to is a list of the watch's, for as long as that lasts.
func (e *Engine) shareAt(w *tlsWatch, to *[]io.Closer, at openssl.Place) {
	if e.sessions.ready() != nil {
		return
	}
	shared, err := e.sessions.probes.share(at.Library, func(pid uint32) ([]link.Link, error) { return e.sessions.attach(at, pid) })
	if err != nil {
		e.log.Debug("children of a process have probes of their own", "reason", err)
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if w.closed || e.closed {
		_ = shared.Close() // begins it
		return
	}
	*to = append(*to, shared)
}

// watchTLSOfChild looks for those of a process that was forked: its libraries are those of its
// parent, whose probes are not its own. Where the parent has none the child waits for a
// connection that begins to encrypt. e.mu is held.
func (e *Engine) watchTLSOfChild(child, parent *target) {
	var pauses []time.Duration
	if w := parent.tls; w != nil && !e.closed {
		if w.forks++; w.forks == forksMany && len(w.probes) > 0 {
			e.later.Go(func() { e.shareTLS(parent, w) })
		}
	}
	if w := parent.tls; w != nil && (len(w.probes) > 0 || time.Since(w.since) < startsUp) {
		pauses = append([]time.Duration{0, coalesce}, libraryLooks()...)
	}
	e.lookForTLSSoon(child, e.newTLSWatch(child), pauses)
}

// expectTLS attaches to what the program of a target is going to load. share: its children have it at once, too.
func (e *Engine) expectTLS(t *target, w *tlsWatch, share bool) {
	places, err := e.sessions.finder.Expect(t.PID, e.opts.AtOnce)
	if err != nil || len(places) == 0 {
		return // gone, or not known to encrypt
	}
	starter := e.startsMany(t)
	for _, at := range places {
		if starter != nil {
			e.shareAt(starter, &starter.shared, at)
		}
		e.placeAt(t, w, w.expected, at)
		if share {
			e.shareAt(w, &w.early, at)
		}
		_ = at.File.Close() // read only
	}
}

// startersMax is how far up it is looked for who starts programs: a shell has subshells for pipes. A number may
// be another process's by now, so that there might be a circle.
const startersMax = 8

// startsMany counts a program that is going to load libraries, and returns the watch of the nearest process that has
// now started so many, itself or by its children: a script that calls curl in a loop. nil: there is none, or it
// has what it needs.
func (e *Engine) startsMany(t *target) *tlsWatch {
	e.mu.Lock()
	defer e.mu.Unlock()
	for range startersMax {
		if t = e.targets[t.parent]; t == nil || t.tls == nil || t.tls.programs >= forksMany {
			return nil
		}
		if t.tls.programs++; t.tls.programs == forksMany {
			return t.tls
		}
	}
	return nil
}

func (e *Engine) keepLookingForTLS(t *target, w *tlsWatch, pauses []time.Duration) {
	for _, pause := range pauses {
		select {
		case <-time.After(pause):
		case <-e.closing:
			return
		}
		if !e.placeTLS(t, w) {
			return
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	takeAway(w.expected) // it has not loaded those
	_ = closeAll(w.early)
	w.early = nil
}

// lookForTLS looks once more: a connection of the process has begun to encrypt.
func (e *Engine) lookForTLS(pid uint32) {
	e.mu.Lock()
	t := e.targets[pid]
	var w *tlsWatch
	if t != nil {
		w = t.tls
	}
	e.mu.Unlock()
	if w == nil {
		return
	}
	began := time.Now()
	e.placeTLS(t, w)
	e.mu.Lock()
	defer e.mu.Unlock()
	if w.unread.IsZero() {
		w.unread = began
	}
}

// placeTLS attaches to the libraries that a target has mapped by now. False: it is no target any
// more, or has another watch.
func (e *Engine) placeTLS(t *target, w *tlsWatch) bool {
	if !e.isWatchedForTLS(t, w) {
		return false
	}
	e.placeGoTLS(t, w)
	places, err := e.sessions.finder.Find(t.PID)
	if err != nil {
		e.log.Debug("cannot see which libraries a process encrypts with", "pid", t.PID, "reason", err)
	}
	for _, at := range places {
		e.arrived(w, at.Library)
		e.placeAt(t, w, w.probes, at)
		_ = at.File.Close() // read only
	}
	return true
}

func (e *Engine) isWatchedForTLS(t *target, w *tlsWatch) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return !e.closed && !w.closed && t.tls == w
}

// arrived notes that a process has loaded what was expected.
func (e *Engine) arrived(w *tlsWatch, file procfs.FileIdentity) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if p, was := w.expected[file]; was {
		w.probes[file] = p
		delete(w.expected, file)
	}
}

// placeAt attaches to one library; into is one of the watch's.
func (e *Engine) placeAt(t *target, w *tlsWatch, into map[procfs.FileIdentity]io.Closer, at openssl.Place) {
	e.placeIn(t, w, into, at.Library, func() (io.Closer, error) {
		return e.sessions.probes.attach(at.Library, t.PID, func(pid uint32) ([]link.Link, error) { return e.sessions.attach(at, pid) })
	})
}

// placeIn attaches to one file, if that is still to be done. into is as in placeAt.
func (e *Engine) placeIn(t *target, w *tlsWatch, into map[procfs.FileIdentity]io.Closer, file procfs.FileIdentity, attach func() (io.Closer, error)) {
	if !e.lacksTLS(w, file) || e.sessions.ready() != nil {
		return
	}
	probes, err := attach()
	if err != nil {
		e.log.Debug("cannot see what a process encrypts", "pid", t.PID, "reason", err)
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if w.has(file) || w.closed || e.closed {
		_ = probes.Close() // begins it
		return
	}
	into[file] = probes
}

func (e *Engine) lacksTLS(w *tlsWatch, file procfs.FileIdentity) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return !w.has(file)
}

// has says that probes are in a file.
func (w *tlsWatch) has(file procfs.FileIdentity) bool {
	return w.probes[file] != nil || w.expected[file] != nil
}

// attach attaches to the functions of a library: what sees the return first, so that no call is begun
// whose end would be missed.
func (s *sessions) attach(at openssl.Place, pid uint32) ([]link.Link, error) {
	var returns, enters, frees []openssl.Probe
	for _, p := range at.Probes {
		if !p.Return {
			frees = append(frees, p)
			continue
		}
		returns, enters = append(returns, p), append(enters, p)
	}
	var links []link.Link
	for _, part := range []struct {
		program string
		probes  []openssl.Probe
		returns bool
	}{{"odi_ssl_return", returns, true}, {"odi_ssl_enter", enters, false}, {"odi_ssl_free", frees, false}} {
		more, err := attachCookies(s.progs[part.program], at.File, pid, part.probes, part.returns)
		links = append(links, more...)
		if err != nil {
			return links, fmt.Errorf("attaching %s: %w", part.program, err)
		}
	}
	return links, nil
}
