package rollout

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
)

// An illness is what agents of a simulated world do to pods.
type illness string

const (
	well       illness = "well"
	crashes    illness = "crashes"
	outOfMem   illness = "out of memory"
	notPulling illness = "not pulled"
	stuck      illness = "never ready"
	blind      illness = "sees nothing"
	errs       illness = "answers with errors"
)

var illnesses = []illness{crashes, outOfMem, notPulling, stuck, blind, errs}

// A world is a Deployment with its controller, a kubelet, a webhook, and what the manager wrote.
// A tick is a second.
type world struct {
	rng      *rand.Rand
	now      time.Time
	desired  int
	pods     []Pod
	made     int
	illness  illness
	wanted   map[string]string
	facts    map[string]odiv1.AgentFact
	answers  answersOfWorld
	plan     *odiv1.RolloutPlan
	seenPlan *odiv1.RolloutPlan // The webhook's copy, up to a second old.
	claim    *odiv1.CanaryClaim
	status   odiv1.RolloutStatus
	refused  bool
	webhook  bool
	mode     odiv1.RolloutMode
	evicted  map[string]int
	kills    int
	// carriers are all pods that ever had agents.
	carriers map[string]bool
	// broken is what must never be.
	broken []string
	// cached is what the manager knows of pods while its cache is behind.
	cached []Pod
}

const simulated = "java@1"

func newWorld(seed uint64, desired int, ill illness) *world {
	w := &world{
		rng: rand.New(rand.NewPCG(seed, 1)), now: time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC), desired: desired, illness: ill,
		wanted: map[string]string{"app": simulated}, facts: map[string]odiv1.AgentFact{}, webhook: true, evicted: map[string]int{}, carriers: map[string]bool{}, mode: odiv1.RolloutAuto,
	}
	w.answers.rng = rand.New(rand.NewPCG(seed, 2))
	for range 20 {
		w.tick()
	}
	return w
}

func (w *world) live() []int {
	var live []int
	for i := range w.pods {
		if !w.pods[i].Leaving {
			live = append(live, i)
		}
	}
	return live
}

// tick lets the controller of the Deployment, the kubelet and the odiglet work for a second.
func (w *world) tick() {
	w.now = w.now.Add(time.Second)
	kept := w.pods[:0:0]
	for _, p := range w.pods {
		if !p.Leaving || w.rng.IntN(3) > 0 {
			kept = append(kept, p)
		}
	}
	w.pods = kept
	if len(w.live()) < w.desired && w.rng.IntN(3) > 0 { // Controllers have more to do.
		w.admit()
	}
	for i := range w.pods {
		w.kubelet(&w.pods[i])
	}
	w.odiglet()
	w.serve()
	w.seenPlan = w.plan
	if !w.refused && len(w.status.Failures) > 0 && w.rng.IntN(8) == 0 { // controllers/decide
		w.refused, w.wanted = true, nil
	}
}

// admit makes one pod, with agents if the webhook is there and its copy of the plan says so.
func (w *world) admit() {
	w.made++
	p := Pod{Name: fmt.Sprintf("pod-%d", w.made), UID: fmt.Sprint(w.made), ResourceVersion: fmt.Sprint(w.made * 1000), Owner: "rs", Created: w.now, Images: map[string]string{"app": "image@1"}}
	if w.webhook && len(w.wanted) > 0 && w.seenPlan != nil {
		switch w.seenPlan.Stage {
		case odiv1.RolloutStageAll:
			p.Agents = map[string]string{"app": simulated}
		case odiv1.RolloutStageCanary:
			if w.claim == nil || w.claim.Slot < w.seenPlan.Slot || w.claim.Revision != w.seenPlan.Revision {
				w.claim = &odiv1.CanaryClaim{Revision: w.seenPlan.Revision, Slot: w.seenPlan.Slot, Request: p.UID, At: metav1.NewTime(w.now)}
				p.Agents, p.Canary = map[string]string{"app": simulated}, p.UID
			}
		}
	}
	w.pods = append(w.pods, p)
	if len(p.Agents) > 0 {
		w.carriers[p.UID] = true
	}
}

func (w *world) kubelet(p *Pod) {
	age := w.now.Sub(p.Created)
	if p.Leaving || age < 2*time.Second {
		return
	}
	p.Started = true
	if len(p.Agents) > 0 {
		switch w.illness {
		case crashes:
			p.Trouble = &Trouble{Container: "app", Reason: odiv1.ReasonCrashLoop, Message: "It ended.", At: w.now}
			return
		case outOfMem:
			p.Trouble = &Trouble{Container: "app", Reason: odiv1.ReasonOutOfMemory, Message: "It was killed.", At: w.now}
			return
		case notPulling:
			p.Trouble = &Trouble{Container: "app", Reason: odiv1.ReasonImagePullFailed, Message: "No image."}
			return
		case stuck:
			return
		}
	}
	if !p.Ready && age > time.Duration(3+w.rng.IntN(5))*time.Second {
		p.Ready, p.ReadySince = true, w.now
		p.ResourceVersion += "r"
	}
}

func (w *world) odiglet() {
	w.facts = map[string]odiv1.AgentFact{}
	for _, i := range w.live() {
		if p := w.pods[i]; len(p.Agents) > 0 && p.Ready {
			fact := odiv1.AgentFact{Agent: simulated, State: odiv1.AgentAlive, Processes: 1}
			if w.illness == blind && w.now.Sub(p.ReadySince) > 5*time.Second {
				fact.State = odiv1.AgentSeesNothing
			}
			w.facts["app"] = fact
		}
	}
}

func (w *world) observe() Observed {
	o := Observed{
		Kind: odiv1.KindDeployment, Pace: kube.Pace{Desired: int32(w.desired)}, Mode: w.mode, Wanted: w.wanted, Refused: w.refused,
		Plan: w.plan, Claim: w.claim, Status: *w.status.DeepCopy(), Facts: w.facts,
		ReadyWithin: readyWithin(5*time.Second, time.Second, 0), Answers: map[string]Answers{"app": w.answers.told(w.now, w.plan)},
	}
	if len(w.wanted) > 0 {
		o.Revision = "r1"
	}
	if w.cached == nil || w.rng.IntN(3) > 0 {
		w.cached = append([]Pod(nil), w.pods...)
	}
	o.Pods = w.cached
	return o
}

// manage takes one step; it may be killed before each write, and then knows nothing but what it wrote.
func (w *world) manage(killed func() bool) Step {
	o := w.observe()
	s := Plan(w.now, o)
	r := record(w.now, o, s)
	dies := func() bool {
		if killed() {
			w.kills++
			w.cached = nil
			return true
		}
		return false
	}
	if dies() {
		return s
	}
	w.status = r.Status
	if dies() {
		return s
	}
	w.plan = r.Plan
	if dies() {
		return s
	}
	if s.Kind == Evict {
		w.evict(s.Pod)
	}
	dies()
	return s
}

// evict is the API server: it does what it is asked if the pod is as it was seen.
func (w *world) evict(pod *Pod) {
	for i := range w.pods {
		p := &w.pods[i]
		if p.UID != pod.UID || p.ResourceVersion != pod.ResourceVersion {
			continue
		}
		w.evicted[p.UID]++
		if w.evicted[p.UID] > 1 || p.Leaving {
			w.broken = append(w.broken, p.Name+" was evicted twice")
		}
		others := 0
		for _, j := range w.live() {
			if q := w.pods[j]; j != i && q.Ready && q.Trouble == nil {
				others++
			}
		}
		if others < w.desired-1 {
			w.broken = append(w.broken, fmt.Sprintf("%s was evicted while %d others of %d were ready", p.Name, others, w.desired))
		}
		p.Leaving, p.ResourceVersion = true, p.ResourceVersion+"e"
		return
	}
}

func (w *world) withAgents() (count int) {
	for _, i := range w.live() {
		if len(w.pods[i].Agents) > 0 {
			count++
		}
	}
	return count
}

// TestNoPodIsEvictedTwice simulates rollouts with agents that work and that do not, managers that are
// killed before any write, caches and webhooks that are behind, and a webhook that is away for a while.
func TestNoPodIsEvictedTwice(t *testing.T) {
	worlds, kills, evictions := 0, 0, 0
	for _, ill := range append([]illness{well}, illnesses...) {
		for seed := range uint64(60) {
			worlds++
			w := newWorld(seed, 1+int(seed%6), ill)
			killed := func() bool { return w.rng.IntN(12) == 0 }
			away := seed%5 == 0
			for tick := range 1500 {
				if away {
					w.webhook = tick < 15 || tick > 90
				}
				w.manage(killed)
				w.tick()
			}
			kills += w.kills
			evictions += len(w.evicted)
			for _, what := range w.broken {
				t.Errorf("%s, seed %d: %s", ill, seed, what)
			}
			switch {
			case ill == well && w.withAgents() != w.desired:
				t.Errorf("seed %d: %d of %d pods have agents; %+v", seed, w.withAgents(), w.desired, w.status)
			case ill == well && w.status.Phase != odiv1.PhaseDone:
				t.Errorf("seed %d: the phase is %s", seed, w.status.Phase)
			case ill != well && (w.withAgents() != 0 || len(w.carriers) > 1):
				t.Errorf("%s, seed %d: %d pods had agents, %d have now; %+v", ill, seed, len(w.carriers), w.withAgents(), w.status)
			case ill != well && w.status.Phase != odiv1.PhaseRolledBack:
				t.Errorf("%s, seed %d: the phase is %s", ill, seed, w.status.Phase)
			}
			if t.Failed() && worlds > 3 {
				t.FailNow()
			}
		}
	}
	t.Logf("%d worlds, %d managers killed, %d pods evicted", worlds, kills, evictions)
	if kills < 30 {
		t.Errorf("only %d managers were killed", kills)
	}
}

// TestAgentsGoAndComeAgain: the claims of a rollout outlive it, and must not be in the way of the next
// one, whose agents, and so whose revision, are the same.
func TestAgentsGoAndComeAgain(t *testing.T) {
	for seed := range uint64(20) {
		w := newWorld(seed, 1+int(seed%4), well)
		agents := w.wanted
		live := func() bool { return false }
		until := func(what string, done func() bool) {
			for range 300 {
				if s := w.manage(live); s.Missed {
					t.Fatalf("seed %d, %s: a pod came without its agents: %+v, claim %+v", seed, what, w.plan, w.claim)
				}
				w.tick()
				if done() {
					return
				}
			}
			t.Fatalf("seed %d: not within 300 s: %s; %+v", seed, what, w.status)
		}
		for range 3 {
			w.wanted = agents
			until("every pod has agents", func() bool { return w.withAgents() == w.desired && w.status.Phase == odiv1.PhaseDone })
			w.wanted = nil
			until("no pod has agents", func() bool { return w.withAgents() == 0 && w.status.Phase == "" })
		}
	}
}

// TestRolledBackInAMinute measures, from when the pod was made, how long each illness lasts.
func TestRolledBackInAMinute(t *testing.T) {
	for _, ill := range illnesses {
		w := newWorld(7, 3, ill)
		made, rolledBack, clean := time.Time{}, time.Time{}, time.Time{}
		for range 600 {
			s := w.manage(func() bool { return false })
			if s.Kind == RollBack && rolledBack.IsZero() {
				rolledBack = w.now
			}
			w.tick()
			if w.withAgents() == 1 && made.IsZero() {
				made = w.now
			}
			if !rolledBack.IsZero() && w.withAgents() == 0 && clean.IsZero() {
				clean = w.now
			}
		}
		took, most := rolledBack.Sub(made), 20*time.Second
		if ill == stuck {
			most = 50 * time.Second
		}
		after := clean.Sub(rolledBack)
		t.Logf("%s: found %s after the pod was made, and gone %s later", ill, took, after)
		if rolledBack.IsZero() || clean.IsZero() || after > 15*time.Second || took > most {
			t.Errorf("%s: rolled back after %s", ill, took)
		}
	}
}
