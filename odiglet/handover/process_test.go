package handover

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

const agent = "python@1"

func environ() map[string]string { return map[string]string{"ODI_AGENT": agent} }

// request counts what became of it.
type request struct{ reported, left int }

func (r *request) Report() { r.reported++ }
func (r *request) Leave()  { r.left++ }

// ask sends a request through as the pipeline does.
func ask(p *Process, now time.Time) *request {
	r := &request{}
	switch p.Judge(true, now) {
	case Report:
		r.Report()
	case Leave:
		r.Leave()
	case Hold:
		p.Take(r, now)
	}
	return r
}

func TestModes(t *testing.T) {
	begin := time.Unix(1000, 0)
	at := func(s int) time.Time { return begin.Add(time.Duration(s) * time.Second) }
	mark := func(s odiv1.AgentState) func(*Process) { return func(p *Process) { p.Marked(s) } }
	for name, tc := range map[string]struct {
		env       map[string]string
		then      []func(*Process)
		early     string // what became of a request from before
		late      string // and of one from after
		state     odiv1.AgentState
		propagate bool
	}{
		"nothing is known yet":       {early: "held", late: "held", state: odiv1.AgentPending},
		"the agent started":          {then: []func(*Process){mark(odiv1.AgentAlive)}, early: "held", late: "held", state: odiv1.AgentAlive},
		"and has reported":           {then: []func(*Process){mark(odiv1.AgentAlive), func(p *Process) { p.Vouch() }}, early: "left", late: "left", state: odiv1.AgentAlive},
		"it reported first":          {then: []func(*Process){func(p *Process) { p.Vouch() }, mark(odiv1.AgentAlive)}, early: "left", late: "left", state: odiv1.AgentAlive},
		"it could not start":         {then: []func(*Process){mark(odiv1.AgentFailed)}, early: "reported", late: "reported", state: odiv1.AgentFailed, propagate: true},
		"it does not fit":            {then: []func(*Process){mark(odiv1.AgentUnsupported)}, early: "reported", late: "reported", state: odiv1.AgentUnsupported, propagate: true},
		"there is an own SDK":        {then: []func(*Process){mark(odiv1.AgentOwnSDK)}, early: "reported", late: "reported", state: odiv1.AgentOwnSDK},
		"not patient enough":         {then: []func(*Process){func(p *Process) { p.Tick(at(9)) }}, early: "held", late: "held", state: odiv1.AgentPending},
		"it says nothing":            {then: []func(*Process){func(p *Process) { p.Tick(at(10)) }}, early: "reported", late: "reported", state: odiv1.AgentFailed, propagate: true},
		"it says something late":     {then: []func(*Process){func(p *Process) { p.Tick(at(10)) }, mark(odiv1.AgentAlive), func(p *Process) { p.Vouch() }}, early: "reported", late: "left", state: odiv1.AgentAlive},
		"failed does not revive":     {then: []func(*Process){mark(odiv1.AgentFailed), mark(odiv1.AgentAlive)}, early: "reported", late: "reported", state: odiv1.AgentFailed, propagate: true},
		"the process ends":           {then: []func(*Process){func(p *Process) { p.End() }}, early: "reported", late: "reported", state: odiv1.AgentPending},
		"it ends with its agent":     {then: []func(*Process){mark(odiv1.AgentAlive), func(p *Process) { p.End() }}, early: "left", late: "left", state: odiv1.AgentAlive},
		"no agent is wanted":         {then: []func(*Process){func(p *Process) { p.Release() }}, early: "reported", late: "held", state: odiv1.AgentPending},
		"its doubts are too soon":    {then: []func(*Process){mark(odiv1.AgentAlive), serve(19, at(1)), func(p *Process) { p.Doubt(begin, at(60)) }}, early: "held", late: "held", state: odiv1.AgentAlive},
		"or too few seconds":         {then: []func(*Process){mark(odiv1.AgentAlive), serve(30, at(1)), func(p *Process) { p.Doubt(begin, at(10)) }}, early: "held", late: "held", state: odiv1.AgentAlive},
		"or nobody listened":         {then: []func(*Process){mark(odiv1.AgentAlive), serve(30, at(1)), func(p *Process) { p.Doubt(at(20), at(29)) }}, early: "held", late: "held", state: odiv1.AgentAlive},
		"it sees nothing":            {then: []func(*Process){mark(odiv1.AgentAlive), serve(20, at(1)), func(p *Process) { p.Doubt(begin, at(11)) }}, early: "reported", late: "reported", state: odiv1.AgentSeesNothing, propagate: true},
		"it sees after all":          {then: []func(*Process){mark(odiv1.AgentAlive), serve(20, at(1)), func(p *Process) { p.Doubt(begin, at(11)); p.Vouch() }}, early: "reported", late: "left", state: odiv1.AgentAlive},
		"it samples by itself":       {env: map[string]string{"ODI_AGENT": agent, "OTEL_TRACES_SAMPLER": "traceidratio"}, then: []func(*Process){mark(odiv1.AgentAlive), serve(99, at(1)), func(p *Process) { p.Doubt(begin, at(60)) }}, early: "left", late: "left", state: odiv1.AgentAlive},
		"it samples as odi has it":   {env: sampling("0.1"), then: []func(*Process){mark(odiv1.AgentAlive), serve(199, at(1)), func(p *Process) { p.Doubt(begin, at(60)) }}, early: "held", late: "held", state: odiv1.AgentAlive},
		"and reports none of many":   {env: sampling("0.1"), then: []func(*Process){mark(odiv1.AgentAlive), serve(200, at(1)), func(p *Process) { p.Doubt(begin, at(60)) }}, early: "reported", late: "reported", state: odiv1.AgentSeesNothing, propagate: true},
		"it samples next to nothing": {env: sampling("0.001"), then: []func(*Process){mark(odiv1.AgentAlive), serve(999, at(1)), func(p *Process) { p.Doubt(begin, at(60)) }}, early: "left", late: "left", state: odiv1.AgentAlive},
		"doubt ends":                 {then: []func(*Process){mark(odiv1.AgentAlive), func(p *Process) { p.Tick(at(60)) }}, early: "left", late: "held", state: odiv1.AgentAlive},
	} {
		t.Run(name, func(t *testing.T) {
			env := tc.env
			if env == nil {
				env = environ()
			}
			p := New(env, new(Room))
			early := ask(p, begin)
			for _, then := range tc.then {
				then(p)
			}
			late := ask(p, at(61))
			if got := became(early); got != tc.early {
				t.Errorf("the early request was %s, want %s", got, tc.early)
			}
			if got := became(late); got != tc.late {
				t.Errorf("the late request was %s, want %s", got, tc.late)
			}
			if p.State() != tc.state || p.Propagates() != tc.propagate {
				t.Errorf("state %s, propagates %v; want %s, %v", p.State(), p.Propagates(), tc.state, tc.propagate)
			}
		})
	}
}

func sampling(ratio string) map[string]string {
	return map[string]string{"ODI_AGENT": agent, "OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": ratio}
}

func serve(n int, now time.Time) func(*Process) {
	return func(p *Process) {
		for range n {
			p.Judge(true, now)
		}
	}
}

func became(r *request) string {
	return map[request]string{{}: "held", {reported: 1}: "reported", {left: 1}: "left"}[*r]
}

func TestWithoutAnAgent(t *testing.T) {
	for _, text := range []string{"", "java", "java@", "@1", "../x@1", "java@1/2", "java@..", "ja va@1"} {
		if p := New(map[string]string{"ODI_AGENT": text}, new(Room)); p != nil {
			t.Errorf("%q is taken for an agent", text)
		}
	}
	var none *Process
	none.End()
	none.Release()
	none.Tick(time.Now())
	none.Vouch()
	if none.Judge(true, time.Now()) != Report || !none.Propagates() || none.Fork() != nil || none.State() != "" || none.Marked(odiv1.AgentAlive) {
		t.Error("a process without an agent is not simply reported")
	}
}

func TestStateOf(t *testing.T) {
	const root = "/odi/python/1/agent/state/"
	for name, tc := range map[string]struct {
		files []string
		want  odiv1.AgentState
	}{
		"none":                     {files: []string{"/usr/lib/libc.so.6"}},
		"alive":                    {files: []string{"/a", root + "alive"}, want: odiv1.AgentAlive},
		"below a container's root": {files: []string{"/var/lib/x/rootfs" + root + "own-sdk"}, want: odiv1.AgentOwnSDK},
		"failed after all":         {files: []string{root + "alive", root + "failed"}, want: odiv1.AgentFailed},
		"another version's":        {files: []string{"/odi/python/2/agent/state/alive"}},
		"a file beside":            {files: []string{root + "alive.txt"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := StateOf(agent, tc.files); got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}

// TestEachRequestIsSettledOnce has processes that fork, speak, end and are judged in any
// order: no request is lost or given twice, and no room is lost either.
func TestEachRequestIsSettledOnce(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for round := range 40 {
		room, now := new(Room), time.Unix(1000, 0)
		family := []*Process{New(environ(), room)}
		var requests []*request
		for range 400 {
			p := family[random.IntN(len(family))]
			now = now.Add(time.Duration(random.IntN(400)) * time.Millisecond)
			switch random.IntN(30) {
			case 0:
				family = append(family, p.Fork())
			case 1:
				p.Marked([]odiv1.AgentState{"", odiv1.AgentAlive, odiv1.AgentFailed, odiv1.AgentUnsupported, odiv1.AgentOwnSDK}[random.IntN(5)])
			case 2:
				p.Vouch()
			case 3:
				p.Doubt(time.Unix(1000, 0), now)
			case 4:
				p.Tick(now)
			case 5:
				if random.IntN(4) == 0 {
					p.End()
				}
			case 6:
				if random.IntN(4) == 0 {
					p.Release()
				}
			default:
				for range 1 + random.IntN(20) {
					requests = append(requests, ask(p, now))
				}
			}
			if err := settled(requests, room.Taken()); err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
		}
		for _, p := range family {
			p.End()
		}
		if room.Taken() != 0 {
			t.Fatalf("round %d: %d requests have no process any more", round, room.Taken())
		}
		if err := settled(requests, 0); err != nil {
			t.Fatalf("round %d, at the end: %v", round, err)
		}
	}
}

// settled says whether all but the held ones have become one thing.
func settled(requests []*request, held int) error {
	open := 0
	for _, r := range requests {
		switch became(r) {
		case "held":
			open++
		case "":
			return fmt.Errorf("a request was reported %d and left %d times", r.reported, r.left)
		}
	}
	if open != held {
		return fmt.Errorf("%d requests are open, %d are held", open, held)
	}
	return nil
}

// TestOneProcessHoldsABoundedNumber has one that serves and says nothing.
func TestOneProcessHoldsABoundedNumber(t *testing.T) {
	room, now := new(Room), time.Unix(1000, 0)
	p := New(environ(), room)
	var all []*request
	for range maxHeld + 10 {
		all = append(all, ask(p, now))
		if room.Taken() > maxHeld {
			t.Fatalf("%d are held", room.Taken())
		}
	}
	if err := settled(all, 0); err != nil {
		t.Error(err)
	}
	if p.State() != odiv1.AgentPending || !p.Awaits() {
		t.Errorf("state %s: its marker may still come", p.State())
	}
	if p.Tick(now.Add(patience)); p.State() != odiv1.AgentFailed {
		t.Errorf("state %s after its time", p.State())
	}
}
