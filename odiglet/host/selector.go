package host

import (
	"sync"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/languages/language"
	"github.com/odi-dev/odi/odiglet/attach"
	"github.com/odi-dev/odi/odiglet/identity"
	"github.com/odi-dev/odi/odiglet/process"
	"github.com/odi-dev/odi/odiglet/routes"
	"github.com/odi-dev/odi/odiglet/sampling"
	"github.com/odi-dev/odi/odiglet/spans"
)

// Selector is an attach.Selector for one machine. It may be used by several goroutines.
type Selector struct {
	hostname string
	exes     []string
	// never is the pid of the one who looks.
	never int
	// Routes are the user's, set before the first Origin; nil if there are none.
	Routes *routes.Patterns
	// QueryKeys are the user's, set before the first Origin.
	QueryKeys []string
	// Untouched has nothing written into what the processes send; set before the first Origin.
	Untouched bool
	sampling  probe.Sampling

	groups groups

	mu     sync.Mutex
	chosen map[int]uint64 // start time by pid
}

// New returns a selector that selects every process that one of the executables
// names. never is left out whatever its name is.
func New(hostname string, exes []string, never int) *Selector {
	return &Selector{hostname: hostname, exes: exes, never: never, chosen: make(map[int]uint64)}
}

// Sample has such a share of the traces recorded that begin in any of the processes, from 0 to 1; empty is all. Rules
// go before it. It is called before the first Origin.
func (s *Selector) Sample(share string, rules []odiv1.SamplingRule) (err error) {
	s.sampling, err = sampling.Of(share, rules)
	return err
}

// Choose selects one process. It says whether that is news.
func (s *Selector) Choose(p process.Process) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if start, ok := s.chosen[p.PID]; ok && start == p.Start {
		return false
	}
	s.chosen[p.PID] = p.Start
	return true
}

// Select implements attach.Selector.
func (s *Selector) Select(p process.Process, parent bool) attach.Verdict {
	attached := p.PID != s.never && (parent || s.isChosen(p) || s.isNamed(p))
	return attach.Verdict{Detect: attached, Attach: attached}
}

// Wanted implements attach.Selector: besides children of targets only programs of
// the given names are selected by themselves; others are chosen.
func (s *Selector) Wanted() attach.Wanted {
	return attach.Wanted{Wanted: probe.Wanted{Names: s.exes}}
}

func (s *Selector) isChosen(p process.Process) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	start, ok := s.chosen[p.PID]
	return ok && start == p.Start
}

func (s *Selector) isNamed(p process.Process) bool {
	for _, exe := range s.exes {
		if p.Answers(exe) {
			return true
		}
	}
	return false
}

// Origin implements attach.Selector.
func (s *Selector) Origin(p process.Process, rt language.Runtime, env map[string]string) (spans.Origin, bool) {
	service := identity.OfHost(identity.Host{
		Hostname: s.hostname, Group: s.groups.of(p), Env: env,
		ContainerID: p.Container.ID, Language: string(rt.Language),
	})
	return spans.Origin{
		Service:   service,
		Resource:  service.ProcessResource(p.PID, p.Name()),
		Routes:    s.Routes,
		Traces:    true,
		Metrics:   true,
		Sampling:  s.sampling,
		Untouched: s.Untouched,
		QueryKeys: s.QueryKeys,
	}, true
}
