package attach

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/odi-dev/odi/internal/procfs"
	"github.com/odi-dev/odi/languages/language"
	"github.com/odi-dev/odi/odiglet/detect"
	"github.com/odi-dev/odi/odiglet/process"
)

const (
	// maxExamined bounds the processes that are looked into at a time. Most take a
	// few milliseconds; one whose files hang holds a place for as long as the
	// detector has patience.
	maxExamined = 16
	// patience is how long a selected process may take to be looked into before it
	// is attached without: a few times what a healthy one takes.
	patience = 200 * time.Millisecond
)

// lateLooks are the ages at which a program is detected again: interpreters map
// their libraries, and agents start, some time after exec.
func lateLooks(now time.Time) []time.Time {
	return []time.Time{now.Add(time.Second), now.Add(5 * time.Second)}
}

// finding is what looking into a process gave.
type finding struct {
	record  *record
	process process.Process
	found   detect.Found
	env     map[string]string
	err     error
	// marker is set where only the agent's marker was looked for.
	marker *sighting
}

// examine looks into a process, beside everything else.
func (m *Manager) examine(ctx context.Context, r *record) {
	if r.looking {
		return
	}
	m.mu.Lock()
	r.looking, r.since = true, time.Now()
	m.mu.Unlock()
	f := finding{record: r, process: r.process}
	inferred := r.inferred
	go func() {
		select {
		case m.examining <- struct{}{}:
		case <-ctx.Done():
			return
		}
		m.lookInto(ctx, &f, inferred)
		<-m.examining
		select {
		case m.findings <- f:
		case <-ctx.Done():
		}
	}()
}

func (m *Manager) lookInto(ctx context.Context, f *finding, inferred bool) {
	pid := f.process.PID
	if inferred {
		var p process.Process
		if p, f.err = m.Scanner.Read(pid); f.err != nil {
			return
		}
		if !p.Same(f.process) {
			f.err = procfs.ErrGone
			return
		}
		f.process = p
	}
	if f.found, f.err = m.Detector.Detect(ctx, pid); f.err == nil && f.found.StartTime != f.process.Start {
		f.err = procfs.ErrGone
	}
	f.env = m.Scanner.Env(pid)
}

// examined takes what came of it, and says whether that is news.
func (m *Manager) examined(f finding) (changed bool) {
	if f.marker != nil {
		return m.sighted(*f.marker)
	}
	r := f.record
	m.mu.Lock()
	r.looking = false
	m.mu.Unlock()
	if m.find(r.process.PID) != r || isGone(f.err) {
		return false // its exit event, or that of its new program, follows
	}
	if f.err == nil {
		changed = m.learn(r, f)
	} else {
		changed = !r.detected
		m.fail(r, detectReason(f.err), f.err)
	}
	if changed && r.verdict.Attach {
		m.attach(r)
	}
	return changed
}

// learn says whether a process runs something else than was known before.
func (m *Manager) learn(r *record, f finding) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	before, first := r.runtime, !r.detected
	if first {
		r.looks = lateLooks(time.Now())
	}
	r.process, r.inferred = f.process, false
	r.detected, r.runtime, r.env, r.environment = true, f.found.Runtime, f.env, f.found.Environment
	return first || differ(before, r.runtime)
}

func differ(a, b language.Runtime) bool {
	return a.Label() != b.Label() || a.Version != b.Version || a.EventLoop != b.EventLoop ||
		a.Strict != b.Strict || instrumentedByItself(a) != instrumentedByItself(b)
}

// onTick looks late once more, attaches those that take too long to be looked
// into, and forgets those who ended. It says whether a record has changed.
func (m *Manager) onTick(ctx context.Context, now time.Time) (changed bool) {
	late, slow := m.due(now)
	for _, r := range late {
		m.examine(ctx, r)
	}
	for _, r := range slow {
		m.attach(r)
	}
	for _, id := range m.family.forget(now) {
		m.Recorder.Forget(id)
	}
	return m.lookForMarkers(ctx, now) || len(slow) > 0
}

// due takes the late looks whose time has come off the records, and finds those
// that were looked into for too long.
func (m *Manager) due(now time.Time) (late, slow []*record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.records {
		if len(r.looks) > 0 && now.After(r.looks[0]) {
			r.looks = r.looks[1:]
			late = append(late, r)
		}
		if r.looking && !r.detected && !r.attached && r.verdict.Attach && now.Sub(r.since) >= patience {
			slow = append(slow, r)
		}
	}
	return late, slow
}

func isGone(err error) bool {
	return errors.Is(err, procfs.ErrGone) || errors.Is(err, process.ErrNoProgram) || errors.Is(err, os.ErrProcessDone)
}

func detectReason(err error) string {
	switch {
	case errors.Is(err, detect.ErrBusy), errors.Is(err, context.DeadlineExceeded):
		return "detection_hangs"
	case errors.Is(err, os.ErrPermission):
		return "permission"
	}
	return "detection"
}
