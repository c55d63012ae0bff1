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
	since  time.Time
	forks  int         // children, since then
	shared []io.Closer // its parts in probes for every process, see shareTLS
	unread time.Time   // when a connection was seen that no probe has seen the beginning of; zero: never
	closed bool
}

// close begins to take the probes away.
func (w *tlsWatch) close() {
	if w == nil {
		return
	}
	w.closed = true
	for on, p := range w.probes {
		_ = p.Close() // begins it; the rest is logged nowhere
		delete(w.probes, on)
	}
	_ = closeAll(w.shared)
	w.shared = nil
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
// some are mapped when they are needed.
func (e *Engine) watchTLS(t *target, pauses []time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.targets[t.PID] == t {
		e.watchTLSSoon(t, pauses)
	}
}

// watchTLSSoon does so beside everything else; e.mu is held.
func (e *Engine) watchTLSSoon(t *target, pauses []time.Duration) {
	if e.closed {
		return
	}
	t.tls.close()
	w := &tlsWatch{probes: map[procfs.FileIdentity]io.Closer{}, since: time.Now()}
	t.tls = w
	if len(pauses) == 0 {
		return
	}
	e.later.Go(func() { e.keepLookingForTLS(t, w, pauses) })
}

// startsUp is how long a program takes at most to map its libraries, but for those that it maps when
// it needs them.
const startsUp = time.Second

// forksMany is after how many children a process is taken for a server that forks one for each
// connection.
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
		shared, err := e.sessions.probes.share(at.Library, func(pid uint32) ([]link.Link, error) {
			return e.sessions.attach(at, pid)
		})
		_ = at.File.Close() // read only
		if err != nil {
			e.log.Debug("children of a process have probes of their own", "pid", t.PID, "reason", err)
			continue
		}
		e.mu.Lock()
		if w.closed {
			_ = shared.Close() // begins it
		} else {
			w.shared = append(w.shared, shared)
		}
		e.mu.Unlock()
	}
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
	e.watchTLSSoon(child, pauses)
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
		e.placeAt(t, w, at)
		_ = at.File.Close() // read only
	}
	return true
}

func (e *Engine) isWatchedForTLS(t *target, w *tlsWatch) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return !e.closed && !w.closed && t.tls == w
}

// placeAt attaches to one library.
func (e *Engine) placeAt(t *target, w *tlsWatch, at openssl.Place) {
	e.placeIn(t, w, at.Library, func() (io.Closer, error) {
		return e.sessions.probes.attach(at.Library, t.PID, func(pid uint32) ([]link.Link, error) { return e.sessions.attach(at, pid) })
	})
}

// placeIn attaches to one file, if that is still to be done.
func (e *Engine) placeIn(t *target, w *tlsWatch, file procfs.FileIdentity, attach func() (io.Closer, error)) {
	e.mu.Lock()
	_, have := w.probes[file]
	e.mu.Unlock()
	if have || e.sessions.ready() != nil {
		return
	}
	probes, err := attach()
	if err != nil {
		e.log.Debug("cannot see what a process encrypts", "pid", t.PID, "reason", err)
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, have := w.probes[file]; have || w.closed || e.closed {
		_ = probes.Close() // begins it
		return
	}
	w.probes[file] = probes
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
