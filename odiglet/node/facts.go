package node

import (
	"cmp"
	"slices"
	"time"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/telemetry"
	"github.com/odi-dev/odi/internal/workload"
	"github.com/odi-dev/odi/languages"
	"github.com/odi-dev/odi/languages/language"
	"github.com/odi-dev/odi/odiglet/attach"
)

const (
	// maxFacts is the API's limit.
	maxFacts = 4096
	// maxErrorText and maxVersion are the API's limits.
	maxErrorText = 512
	maxVersion   = 63
	// newcomer is how long a process may wait to be attached before it counts against its pod. To be looked into
	// takes well below a second, some seconds where a hundred start at once. Databases fork a process for each
	// connection, and probes start programs: some process is always new.
	newcomer = 10 * time.Second
)

// factKey is what facts are about.
type factKey struct {
	workload  workload.Reference
	container string
}

// tally gathers what is seen under one key.
type tally struct {
	fact     odiv1.ContainerFact
	runtimes []language.Runtime
	perPod   map[string]*share
	start    start
	agent    agents
	decided  decided
}

// share counts a pod's processes, without those that have not waited long.
type share struct{ attached, missing int }

// produces says whether all that the pod does is seen, or will be in a moment.
func (s share) produces() bool { return s.attached > 0 && s.missing == 0 }

// facts folds processes into one fact per workload and container name. A
// container of a selected workload has a fact even while no process of it was
// read, so that "nothing seen" can be told from "not looked".
func (c *cluster) facts(instances []attach.Instance, now time.Time) (facts []odiv1.ContainerFact, truncated int) {
	tallies := make(map[factKey]*tally)
	c.tallyPods(tallies)
	encrypting := c.encryptingNow()
	for _, in := range instances {
		at, ok := c.find(in.Process.Container.ID)
		if !ok {
			continue
		}
		if t := tallies[factKey{at.workload, at.container.name}]; t != nil {
			t.add(at.pod.name, in, now)
			t.encrypts(encrypting[in.Process.PID])
		}
	}
	for key, t := range tallies {
		fact := t.finish()
		fact.Start.Memory = c.memories.peak(key)
		fact.Answers = c.answers.over(key, t.decided, now)
		facts = append(facts, fact)
	}
	slices.SortFunc(facts, func(a, b odiv1.ContainerFact) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Workload.Kind, b.Workload.Kind),
			cmp.Compare(a.Workload.Name, b.Workload.Name), cmp.Compare(a.Container, b.Container))
	})
	if len(facts) > maxFacts {
		return facts[:maxFacts], len(facts) - maxFacts
	}
	return facts, 0
}

// tallyPods starts a tally for every running container of a selected workload.
func (c *cluster) tallyPods(tallies map[factKey]*tally) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, p := range c.pods {
		ref, d, ok := c.workloadOf(p)
		if !ok {
			continue
		}
		for _, ct := range p.containers {
			if !ct.running {
				continue
			}
			key := factKey{ref, ct.name}
			t, ok := tallies[key]
			if !ok {
				t = &tally{
					fact:   odiv1.ContainerFact{Namespace: ref.Namespace, Workload: ref.Local(), Container: ct.name},
					perPod: make(map[string]*share), decided: d,
				}
				tallies[key] = t
			}
			t.perPod[p.name] = &share{}
		}
	}
}

func (t *tally) add(pod string, in attach.Instance, now time.Time) {
	t.fact.Processes++
	t.runtimes = append(t.runtimes, in.Runtime)
	of := t.perPod[pod]
	if of == nil { // the container ended, its process not quite yet
		of = &share{}
	}
	switch {
	case in.Attached:
		t.fact.Attached++
		of.attached++
	case in.Error != "" || now.Sub(in.Met) > newcomer:
		of.missing++
	}
	if in.Error != "" {
		t.fact.Error = telemetry.Clip(in.Error, maxErrorText)
	}
	if in.Agent == nil {
		t.start.add(in)
	} else {
		t.agent.add(in)
	}
}

func (t *tally) finish() odiv1.ContainerFact {
	t.fact.Runtime = languages.Fact(languages.Combine(t.runtimes))
	// A process may say anything of its version; the API server refuses the whole report for one long text.
	t.fact.Runtime.Version = telemetry.Clip(t.fact.Runtime.Version, maxVersion)
	t.fact.Pods = int32(len(t.perPod))
	t.fact.Start, t.fact.Agent = t.start.fact(), t.agent.fact
	for _, of := range t.perPod {
		if of.produces() {
			t.fact.AttachedPods++
		}
	}
	return t.fact
}
