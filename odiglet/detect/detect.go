package detect

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"time"

	"github.com/odi-dev/odi/internal/procfs"
	"github.com/odi-dev/odi/languages"
	"github.com/odi-dev/odi/languages/language"
)

// Found is what was detected of one process.
type Found struct {
	PID int
	// StartTime in clock ticks since boot: with PID it names one process until the machine stops.
	StartTime uint64
	// Runtime is what it runs; not Known if that is nothing that odi knows.
	Runtime language.Runtime
	// Executable is the identity of the file that runs.
	Executable Executable
	// Container is where it runs; its ID is "" on the host.
	Container procfs.Container
	// Environment lists, sorted, those variables of its environment that agents use. Never values.
	Environment []string
	// Args is the command line. It may hold secrets: never log or export it.
	Args []string
}

// ErrBusy says that too many detections hang, each on a file system or a process that does not answer.
var ErrBusy = errors.New("too many detections hang")

// Judgements: reading a healthy process takes a few milliseconds, tens for a big one on a cold disk. A process
// can make readers of its memory or files hang for ever (userfaultfd, FUSE); each such reader costs a thread.
const (
	patience  = 5 * time.Second
	maxHung   = 16
	cacheSize = 512
)

// Detector detects processes. It may be used by several goroutines.
type Detector struct {
	fs    procfs.FS
	cache *cache
	seed  maphash.Seed // unknown to those who choose what is hashed
	slots chan struct{}
}

// New returns a Detector for the processes of this pid namespace.
func New() *Detector {
	return &Detector{fs: procfs.Host, cache: newCache(cacheSize), seed: maphash.MakeSeed(), slots: make(chan struct{}, maxHung)}
}

// Detect looks at one process; it answers after five seconds at the latest. The error is procfs.ErrGone when it has ended, ErrBusy or
// context.DeadlineExceeded when it does not let itself be read, and a permission error when the caller may not.
func (d *Detector) Detect(ctx context.Context, pid int) (Found, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case d.slots <- struct{}{}:
	case <-ctx.Done():
		return Found{}, fmt.Errorf("detecting process %d: %w", pid, ErrBusy)
	}
	type result struct {
		found Found
		err   error
	}
	done := make(chan result, 1)
	go func() {
		defer func() { <-d.slots }()
		found, err := d.detect(pid)
		done <- result{found, err}
	}()
	select {
	case r := <-done:
		return r.found, r.err
	case <-ctx.Done():
		return Found{}, fmt.Errorf("detecting process %d: %w", pid, ctx.Err())
	}
}

func (d *Detector) detect(pid int) (Found, error) {
	p, err := d.fs.Open(pid)
	if err != nil {
		return Found{}, err
	}
	defer func() { _ = p.Close() }()
	found := Found{PID: pid}
	if found.StartTime, err = p.StartTime(); err != nil {
		return Found{}, err
	}
	if found.Container, err = p.Container(); err != nil {
		return Found{}, err
	}
	v, err := look(p)
	if err != nil {
		return Found{}, err
	}
	defer v.close()
	found.Executable, found.Args = v.executable, v.process.Args
	found.Environment = forAgents(v.process.Env)
	key := v.key(d.seed)
	rt, ok := d.cache.get(key)
	if !ok {
		rt = languages.Detect(v.process)
		d.cache.put(key, rt)
	}
	found.Runtime = rt
	return found, nil
}
