package bpf

import (
	"errors"
	"io"
	"time"

	"github.com/cilium/ebpf/link"

	"github.com/odi-dev/odi/bpf/libc"
	"github.com/odi-dev/odi/internal/procfs"
)

// ioctlWatch is the probe on the ioctl of a process's C library that waits for
// the first FIONREAD. A nil one waits for nothing. Engine.mu guards it once the
// target is known.
type ioctlWatch struct {
	probe   io.Closer // nil: could not be placed yet
	library procfs.FileIdentity
	sure    bool // the library was seen mapped
}

func (w *ioctlWatch) close() {
	if w != nil && w.probe != nil {
		_ = w.probe.Close() // begins it; the rest is logged nowhere
	}
}

// watchIoctl places a probe where this kernel needs one, before the target has a
// connection in a socket map. It says whether that is done: else the target is held
// until a later look has done it, with its new connections behind the verdict
// program and the old ones in no map. A static binary is not seen to.
func (e *Engine) watchIoctl(t *target, value *targetValue) (ready bool) {
	if e.fionread != fionreadWatched || value.Flags&flagPropagate == 0 {
		return true
	}
	value.Flags |= flagWatches
	if value.Flags&(flagGo|flagPolls) != 0 || e.placeWatch(t) {
		e.letGo(t.tgid)
		return true
	}
	_ = e.maps["held"].Put(t.tgid, uint8(1)) // as many entries as targets: there is room
	return false
}

// letGo says that a target is watched as it has to be.
func (e *Engine) letGo(tgid uint32) {
	if m := e.maps["held"]; m != nil {
		_ = m.Delete(tgid) // it need not be in there
	}
}

// placeWatch gives a target its watch, or that of the same target before.
func (e *Engine) placeWatch(t *target) (ready bool) {
	at, err := e.ioctls.Find(t.PID)
	if errors.Is(err, libc.ErrStatic) {
		return true
	}
	if err == nil {
		defer func() { _ = at.File.Close() }() // read only
		if t.watch = e.takeWatch(t.PID, at.Library); t.watch == nil {
			t.watch, err = e.newWatch(at, t.PID)
		}
	}
	if err != nil {
		e.log.Debug("cannot see yet whether a process asks FIONREAD", "pid", t.PID, "reason", err)
		t.watch = &ioctlWatch{}
		return false
	}
	t.watch.sure = at.Mapped
	return true
}

func (e *Engine) newWatch(at libc.Place, pid uint32) (*ioctlWatch, error) {
	probe, err := e.asks.attach(at.Library, pid, func(pid uint32) ([]link.Link, error) {
		l, err := attachUprobe(e.progs["odi_ioctl"], at.File, at.Offset, pid)
		if err != nil {
			return nil, err
		}
		return []link.Link{l}, nil
	})
	if err != nil {
		return nil, err
	}
	return &ioctlWatch{probe: probe, library: at.Library, sure: at.Mapped}, nil
}

// takeWatch takes the watch of a target that is added again, if it is the right one.
func (e *Engine) takeWatch(pid uint32, library procfs.FileIdentity) *ioctlWatch {
	e.mu.Lock()
	defer e.mu.Unlock()
	before := e.targets[pid]
	if before == nil || before.watch == nil || before.watch.probe == nil || before.watch.library != library {
		return nil
	}
	w := before.watch
	before.watch = nil
	return w
}

// coalesce is how long a child waits for its probe: most run another program
// before, and get that one's.
const coalesce = time.Millisecond

// libraryLooks are the pauses between looks for a library: a loader maps it
// within milliseconds, a stopped process when it goes on.
func libraryLooks() []time.Duration {
	return []time.Duration{10 * time.Millisecond, 50 * time.Millisecond, 250 * time.Millisecond, time.Second, 5 * time.Second, 30 * time.Second}
}

// watchSoon gives a target that has just been forked, or has started another
// program, a watch of its own: the one of its parent is not its, and that of the
// old program may follow a thread that is gone. It does not wait; e.mu is held.
func (e *Engine) watchSoon(t *target, after time.Duration) {
	if e.fionread != fionreadWatched || !t.Propagate || e.closed {
		return
	}
	t.watch.close()
	w := &ioctlWatch{}
	t.watch = w
	e.later.Go(func() { e.keepLooking(t, w, append([]time.Duration{after}, libraryLooks()...)) })
}

// verifyWatch makes sure that the watch of a target that has been added is on the
// library that the process goes on to map.
func (e *Engine) verifyWatch(t *target) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if w := t.watch; w != nil && !w.sure && !e.closed {
		e.later.Go(func() { e.keepLooking(t, w, libraryLooks()) })
	}
}

func (e *Engine) keepLooking(t *target, w *ioctlWatch, pauses []time.Duration) {
	for _, pause := range pauses {
		select {
		case <-time.After(pause):
		case <-e.closing:
			return
		}
		if w = e.lookForLibrary(t, w); w == nil {
			return
		}
	}
}

// lookForLibrary places a target's watch, or another one if the first is in the
// wrong place. It returns the watch that is to be looked after further, nil if
// none is.
func (e *Engine) lookForLibrary(t *target, w *ioctlWatch) *ioctlWatch {
	if !e.isWatchedBy(t, w) {
		return nil // ended, asked, added again, or runs another program
	}
	at, err := e.ioctls.Find(t.PID)
	if errors.Is(err, libc.ErrStatic) {
		e.letGo(t.tgid)
		return nil
	}
	if err != nil {
		return w
	}
	defer func() { _ = at.File.Close() }() // read only
	next := w
	if w.probe == nil || w.library != at.Library {
		if next, err = e.newWatch(at, t.PID); err != nil {
			return w
		}
	}
	if !e.replaceWatch(t, w, next) || at.Mapped {
		return nil
	}
	return next
}

func (e *Engine) isWatchedBy(t *target, w *ioctlWatch) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.targets[t.PID] == t && t.watch == w
}

// replaceWatch says whether the target still has the watch that is replaced.
func (e *Engine) replaceWatch(t *target, w, next *ioctlWatch) bool {
	if w == next {
		return true
	}
	e.mu.Lock()
	if e.targets[t.PID] != t || t.watch != w {
		e.mu.Unlock()
		next.close()
		return false
	}
	t.watch.close()
	t.watch = next
	e.mu.Unlock()
	e.letGo(t.tgid)
	e.adoptSockets(t, false)
	return true
}
