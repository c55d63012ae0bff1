package flow

import (
	"net/netip"
	"slices"
	"time"
)

// Role is the side of its connections that a process is on: enum flow_role of flow.h.
type Role uint8

// The two roles.
const (
	Server Role = iota + 1
	Client
)

// String is the value of odi.tcp.role.
func (r Role) String() string {
	if r == Client {
		return "client"
	}
	return "server"
}

// Key is struct flow_key of flow.h: a process, and whom it asks or where it serves.
type Key struct {
	Peer [16]byte
	PID  uint32 // in user space's PID namespace
	Port uint16 // of the server; 0: any
	Role Role
	// Family of Peer; 0 where peers are not told apart.
	Family uint8
}

// Address is the peer's, invalid where peers are not told apart.
func (k Key) Address() netip.Addr {
	const inet, inet6 = 2, 10
	switch k.Family {
	case inet:
		return netip.AddrFrom4([4]byte(k.Peer[:4]))
	case inet6:
		return netip.AddrFrom16(k.Peer).Unmap()
	}
	return netip.Addr{}
}

// failures are the reasons why a connection was not made, as error.type has them, in the order
// of enum flow_failure.
var failures = [...]string{"connection_refused", "timeout", "unreachable", "closed", "not_sent", "other"}

// Failures lists the reasons in the order of Sums.Failed.
func Failures() []string { return slices.Clone(failures[:]) }

// bounds of the buckets of round trips. Within a machine they take some 20 us, across
// continents some 300 ms.
var bounds = [...]time.Duration{
	100 * time.Microsecond, 250 * time.Microsecond, 500 * time.Microsecond,
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond,
	50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2500 * time.Millisecond,
}

// Micros are the bounds as the programs have them, rtt_bounds of flow.h.
func Micros() (all [len(bounds)]uint32) {
	for i, b := range bounds {
		all[i] = uint32(b.Microseconds())
	}
	return all
}

// Seconds are the bounds as a histogram has them.
func Seconds() []float64 {
	all := make([]float64, len(bounds))
	for i, b := range bounds {
		all[i] = b.Seconds()
	}
	return all
}

// Sums is struct flow_sums of flow.h. All grow, until they are forgotten.
type Sums struct {
	Opened        uint64 // connections
	Failed        [len(failures)]uint64
	ResetSent     uint64
	ResetReceived uint64
	TimedOut      uint64
	Sent          uint64 // bytes, each once
	Received      uint64
	Resent        uint64 // segments
	RTTMicros     uint64 // sum of those in RTTs
	RTTs          [len(bounds) + 1]uint64
}

// each pairs the counters of two.
func (s *Sums) each(o *Sums, f func(mine *uint64, other uint64)) {
	f(&s.Opened, o.Opened)
	f(&s.ResetSent, o.ResetSent)
	f(&s.ResetReceived, o.ResetReceived)
	f(&s.TimedOut, o.TimedOut)
	f(&s.Sent, o.Sent)
	f(&s.Received, o.Received)
	f(&s.Resent, o.Resent)
	f(&s.RTTMicros, o.RTTMicros)
	for i := range s.Failed {
		f(&s.Failed[i], o.Failed[i])
	}
	for i := range s.RTTs {
		f(&s.RTTs[i], o.RTTs[i])
	}
}

// Add adds others.
func (s *Sums) Add(o Sums) { s.each(&o, func(mine *uint64, other uint64) { *mine += other }) }

// Since returns what has come since before. What is less than before began anew.
func (s Sums) Since(before Sums) Sums {
	s.each(&before, func(mine *uint64, other uint64) {
		if *mine >= other {
			*mine -= other
		}
	})
	return s
}

// Flow is what one process and one peer have done so far.
type Flow struct {
	Key  Key
	Sums Sums
}
