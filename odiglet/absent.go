package odiglet

import (
	"context"
	"fmt"

	"github.com/odi-dev/odi/bpf"
	"github.com/odi-dev/odi/bpf/flow"
	"github.com/odi-dev/odi/bpf/handshake"
	"github.com/odi-dev/odi/bpf/probe"
)

// Absent stands in for the engine on a kernel that cannot load it: runtimes are
// still detected and reported, and every attempt to attach says why it fails.
type Absent struct {
	// Why the engine could not be loaded.
	Why error
}

// AddTarget fails.
func (a Absent) AddTarget(probe.Target) error {
	return fmt.Errorf("the engine is not available on this node: %w", a.Why)
}

// RemoveTarget does nothing.
func (Absent) RemoveTarget(uint32) error { return nil }

// Targets is empty.
func (Absent) Targets() []bpf.TargetStatus { return nil }

// Processes has none: /proc is scanned instead.
func (Absent) Processes(context.Context, func(probe.Process)) bool { return false }

// Want does nothing: nothing is told anyway.
func (Absent) Want(probe.Wanted) error { return nil }

// IgnoreCgroup does nothing.
func (Absent) IgnoreCgroup(uint64) {}

// Run waits until ctx ends.
func (Absent) Run(ctx context.Context, _ func(*probe.Exchange)) error {
	<-ctx.Done()
	return nil
}

// Features says that nothing works, and why.
func (a Absent) Features() []probe.Feature {
	return []probe.Feature{{Name: probe.SocketSpans, State: probe.Unavailable, Reason: a.Why.Error()}}
}

// Drops is empty.
func (Absent) Drops() map[string]uint64 { return nil }

// Losers is empty.
func (Absent) Losers() map[bpf.Loser]uint64 { return nil }

// Flows has none.
func (Absent) Flows() ([]flow.Flow, error) { return nil, nil }

// Certificates knows none.
func (Absent) Certificates() []handshake.Certificate { return nil }

// ForgetCertificate does nothing.
func (Absent) ForgetCertificate(handshake.CertificateKey) {}

// ForgetFlow does nothing.
func (Absent) ForgetFlow(flow.Key) error { return nil }

// Stats is empty.
func (Absent) Stats() (bpf.Stats, error) { return bpf.Stats{}, nil }

// Close does nothing.
func (Absent) Close() error { return nil }
