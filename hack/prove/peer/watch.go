package peer

import (
	"bytes"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/odi-dev/odi/hack/prove/script"
)

// watch notes when the calls of interest began and ended.
type watch struct {
	side     *script.Side
	moved    [2]uint32 // bytes so far: out, in
	begins   int       // next to come
	finishes int
	times    []script.Times
	sched    int
}

func newWatch(s *script.Side) watch {
	w := watch{side: s, times: make([]script.Times, len(s.Begins)), sched: -1}
	if fd, err := unix.Open("/proc/thread-self/schedstat", unix.O_RDONLY|unix.O_CLOEXEC, 0); err == nil {
		w.sched = fd
	}
	return w
}

func (w *watch) close() {
	if w.sched >= 0 {
		_ = unix.Close(w.sched)
	}
}

// stamp is when a call began and how long the thread had waited for a core by then.
type stamp struct {
	at, delay int64
}

func (w *watch) begin() stamp {
	return stamp{delay: w.delay(), at: now()}
}

func now() int64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t)
	return t.Nano()
}

// delay reads how long this thread has waited for a core so far.
func (w *watch) delay() int64 {
	var b [64]byte
	n, err := unix.Pread(w.sched, b[:], 0)
	if err != nil {
		return 0
	}
	fields := bytes.Fields(b[:n])
	if len(fields) < 2 {
		return 0
	}
	d, _ := strconv.ParseInt(string(fields[1]), 10, 64)
	return d
}

// end notes the places that a call moved up to to.
func (w *watch) end(s stamp, in bool, to uint32) {
	from := w.move(in, to)
	if !w.passed(w.side.Begins, w.begins, in, to) && !w.passed(w.side.Finishes, w.finishes, in, to) {
		return
	}
	at := now()
	waited := w.delay() - s.delay
	for w.passed(w.side.Begins, w.begins, in, to) {
		t := &w.times[w.begins]
		t.BeginFrom, t.BeginTo, t.Inside = s.at, at, w.side.Begins[w.begins].Off != from
		t.Delay += waited
		w.begins++
	}
	for w.passed(w.side.Finishes, w.finishes, in, to) {
		t := &w.times[w.finishes]
		t.FinishFrom, t.FinishTo = s.at, at
		t.Delay += waited
		w.finishes++
	}
}

// move notes how far a direction has come, and returns how far it had.
func (w *watch) move(in bool, to uint32) uint32 {
	at := &w.moved[0]
	if in {
		at = &w.moved[1]
	}
	from := *at
	*at = to
	return from
}

// passed tells whether the next mark lies before to.
func (w *watch) passed(marks []script.Mark, next int, in bool, to uint32) bool {
	if next >= len(marks) {
		return false
	}
	m := marks[next]
	return m.In == in && (m.Off == script.AtEnd) == (to == script.AtEnd) && (m.Off < to || to == script.AtEnd)
}
