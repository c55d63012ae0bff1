package bpf

import (
	"context"
	"log/slog"

	"github.com/odi-dev/odi/bpf/probe"
)

// Options configure an engine. The zero value is usable.
type Options struct {
	// CgroupPath is the cgroup v2 directory below which outgoing connections can
	// get a traceparent. Empty means the root of the cgroup v2 mount of PID 1.
	CgroupPath string
	// RingBytes is the size of the event ring, rounded up to a power of two.
	// Zero means DefaultRingBytes.
	RingBytes int
	// NoPropagation leaves traffic untouched: nothing is written into requests.
	NoPropagation bool
	// Log receives what happens once per target or feature, never per request.
	// Nil means slog.Default.
	Log *slog.Logger
}

// Engine is the set of programs and maps in the kernel. All methods may be
// called concurrently; Close may be called twice and before Run.
type Engine struct{}

// Load loads and attaches the programs. It fails only if socket spans cannot
// be had at all; other features that cannot be had are reported by Features.
func Load(opts Options) (*Engine, error) { return nil, nil }

// Features reports every capability and its state on this kernel.
func (e *Engine) Features() []probe.Feature { return nil }

// AddTarget starts to watch a process; connections that are open already are
// picked up. Adding a target again replaces its settings. An error means that
// the process is not watched.
func (e *Engine) AddTarget(t probe.Target) error { return nil }

// RemoveTarget stops to watch a process. Removing an unknown one is no error.
func (e *Engine) RemoveTarget(pid uint32) error { return nil }

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
}

// Targets reports the targets, including forked children of targets.
func (e *Engine) Targets() []TargetStatus { return nil }

// Run delivers finished requests to handle, one at a time, until ctx is done;
// then it delivers what the kernel still holds and returns nil. Run once only.
func (e *Engine) Run(ctx context.Context, handle func(probe.Exchange)) error { return nil }

// Processes delivers process events until ctx is done. A slow receiver loses
// events, which Drops counts. Nil where the feature is unavailable.
func (e *Engine) Processes(ctx context.Context) <-chan probe.Process { return nil }

// Drops returns how many requests or events were lost since Load, by reason.
func (e *Engine) Drops() map[string]uint64 { return nil }

// Stats is what the engine costs.
type Stats struct {
	// Programs are sorted by name.
	Programs []ProgramStats
	// MapBytes is the kernel memory of all maps.
	MapBytes uint64
	// Exchanges is the number of finished requests that the kernel reported.
	Exchanges uint64
}

// ProgramStats is the cost of one program. RunTimeNanos stays 0 unless the
// kernel's BPF statistics are on.
type ProgramStats struct {
	Name         string
	Runs         uint64
	RunTimeNanos uint64
}

// Stats reads the cost of the engine so far.
func (e *Engine) Stats() (Stats, error) { return Stats{}, nil }

// Close detaches everything and frees it. Run returns first if it still runs.
func (e *Engine) Close() error { return nil }
