package node

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/collectorconfig"
	"github.com/odi-dev/odi/languages/language"
	"github.com/odi-dev/odi/odiglet/attach"
	"github.com/odi-dev/odi/odiglet/handover"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// goldenTable is read by the test of who takes it, in a module of its own.
const goldenTable = "../../collector/components/agentsextension/testdata/table.json"

// withAgents is a node with a pod that has an agent by decision, one without, one that is
// over, and one in the node's network.
func withAgents() *cluster {
	c := newCluster("n1", func() {})
	for _, p := range []struct {
		name, address string
		change        func(*corev1.Pod)
	}{
		{"cart", "10.1.0.1", func(*corev1.Pod) {}},
		{"over", "10.1.0.1", func(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed }},
		{"host", "10.0.0.1", func(p *corev1.Pod) { p.Spec.HostNetwork = true }},
		{"plain", "10.1.0.2", func(p *corev1.Pod) { p.OwnerReferences, p.Labels = nil, nil }},
	} {
		pod := cartPod()
		pod.Name, pod.UID = p.name, types.UID("uid-of-"+p.name)
		pod.Status.PodIPs = []corev1.PodIP{{IP: p.address}}
		pod.Spec.Containers[0].ReadinessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/healthz?full"}}}
		pod.Status.ContainerStatuses[0].ContainerID = "containerd://c-" + p.name
		p.change(pod)
		small, err := slim(pod)
		if err != nil {
			panic(err)
		}
		c.setPod(readPod(small.(*corev1.Pod)))
	}
	spec := decision("app", odiv1.MethodAgent)
	spec.Signals = []odiv1.Signal{odiv1.SignalTraces}
	spec.IgnoredPaths = []string{"/metrics", "/internal/*"}
	c.setWorkload(cart, readWorkload(&odiv1.InstrumentedWorkload{Spec: *spec}))
	return c
}

func agentInstance(container string, env map[string]string) attach.Instance {
	in := instance(7, container, true, language.Runtime{Language: language.Python})
	in.Env = map[string]string{"ODI_AGENT": "python@1"}
	for name, value := range env {
		in.Env[name] = value
	}
	in.Agent = handover.New(in.Env, new(handover.Room))
	return in
}

func TestTheTableOfPods(t *testing.T) {
	table := withAgents().agentTable([]attach.Instance{agentInstance("c-cart", map[string]string{"OTEL_SERVICE_NAME": "by-env"})})
	table.HostAddresses = []netip.Addr{netip.MustParseAddr("10.0.0.1")}
	got, err := json.MarshalIndent(table, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile(goldenTable, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(goldenTable)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("the table (-want +got):\n%s", diff)
	}
	if portPods != collectorconfig.PortPods {
		t.Error("the collector listens elsewhere")
	}
}

// TestAgentsReportUntilTheirPodsGo: who reports a container changes with its pod, not with the decision
// about the next one; whom nobody selected reports nothing.
func TestAgentsReportUntilTheirPodsGo(t *testing.T) {
	for name, tc := range map[string]struct {
		agents  string // of the pod's annotation
		decided odiv1.Method
		want    bool
	}{
		"decided, not there yet":      {"", odiv1.MethodAgent, true},
		"there":                       {"app=python@1", odiv1.MethodAgent, true},
		"not decided any more":        {"app=python@1", odiv1.MethodEBPF, true},
		"gone":                        {"", odiv1.MethodEBPF, false},
		"there, in another container": {"sidecar=python@1", odiv1.MethodEBPF, false},
		"there, and nothing is asked": {"app=python@1", odiv1.MethodNone, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := cartPod()
			if p.Annotations == nil {
				p.Annotations = map[string]string{}
			}
			p.Annotations[odiv1.AnnotationAgents] = tc.agents
			small, err := slim(p)
			if err != nil {
				t.Fatal(err)
			}
			c := newCluster("node-1", func() {})
			c.setPod(readPod(small.(*corev1.Pod)))
			c.setWorkload(cart, readWorkload(&odiv1.InstrumentedWorkload{Spec: *decision("app", tc.decided)}))
			in := agentInstance("c1", nil)
			o, ok := c.Origin(in.Process, in.Runtime, in.Env)
			if !ok || o.Agent != tc.want {
				t.Errorf("the origin is for an agent: %t (found %t)", o.Agent, ok)
			}
			if got := len(c.agentTable(nil).Pods[0].Containers) == 1; got != tc.want {
				t.Errorf("the agent may send: %t", got)
			}
			if c.wantsAgents() != tc.want {
				t.Errorf("agents are waited for: %t", !tc.want)
			}
		})
	}
}

// TestAnOwnSDKMayNotSend where an agent stepped aside for it: eBPF reports that container.
func TestAnOwnSDKMayNotSend(t *testing.T) {
	c := withAgents()
	process := func(state odiv1.AgentState) attach.Instance {
		in := agentInstance("c-cart", nil)
		in.Agent.Marked(state)
		return in
	}
	shell := process(odiv1.AgentOwnSDK)
	shell.Runtime = language.Runtime{Language: language.C, Helper: true}
	for name, tc := range map[string]struct {
		processes []attach.Instance
		may       bool
	}{
		"nothing is known yet":       {may: true},
		"its agent is awaited":       {processes: []attach.Instance{agentInstance("c-cart", nil)}, may: true},
		"its agent is alive":         {processes: []attach.Instance{process(odiv1.AgentAlive)}, may: true},
		"it has an SDK":              {processes: []attach.Instance{process(odiv1.AgentOwnSDK), process(odiv1.AgentOwnSDK), shell}},
		"one of its processes":       {processes: []attach.Instance{process(odiv1.AgentOwnSDK), process(odiv1.AgentAlive)}, may: true},
		"one of them, the other way": {processes: []attach.Instance{process(odiv1.AgentAlive), process(odiv1.AgentOwnSDK)}, may: true},
	} {
		for _, p := range c.agentTable(tc.processes).Pods {
			if p.UID == "uid-of-cart" && (len(p.Containers) == 1) != tc.may {
				t.Errorf("%s: %d containers may send", name, len(p.Containers))
			}
		}
	}
}

// TestBothWorldsHaveOneResource compares what the collector writes with eBPF's spans.
func TestBothWorldsHaveOneResource(t *testing.T) {
	c, in := withAgents(), agentInstance("c-cart", map[string]string{"OTEL_SERVICE_NAME": "by-env", "OTEL_RESOURCE_ATTRIBUTES": "team=a"})
	o, ok := c.Origin(in.Process, in.Runtime, in.Env)
	if !ok {
		t.Fatal("no origin")
	}
	var theirs agentIdentity
	for _, p := range c.agentTable([]attach.Instance{in}).Pods {
		if p.UID == "uid-of-cart" {
			theirs = p.Containers["app"]
		}
	}
	for key, value := range o.Resource.Attributes().All() {
		if strings.HasPrefix(key, "telemetry.") || strings.HasPrefix(key, "process.") || key == "os.type" || theirs.Lists[key] != nil {
			continue
		}
		if theirs.Attributes[key] != value.AsString() {
			t.Errorf("%s is %q from an agent, %q from eBPF", key, theirs.Attributes[key], value.AsString())
		}
	}
	if len(theirs.Attributes) < 12 {
		t.Errorf("only %v is compared", theirs.Attributes)
	}
}

// collector answers as the extension does.
type fakeCollector struct {
	epoch    string
	table    string
	puts     int
	reported map[string]map[string]uint64
}

func (f *fakeCollector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPut {
		body, _ := io.ReadAll(r.Body)
		sum := sha256.Sum256(body)
		f.table = hex.EncodeToString(sum[:])
		f.puts++
	}
	_ = json.NewEncoder(w).Encode(agentReport{Epoch: f.epoch, Table: f.table, Reported: f.reported})
}

func TestTheWitnessJudges(t *testing.T) {
	f := &fakeCollector{epoch: "1"}
	server := httptest.NewServer(f)
	defer server.Close()
	in, judged := agentInstance("c-cart", nil), 0
	w := &witness{
		url: server.URL, client: server.Client(), log: slog.New(slog.DiscardHandler), cluster: withAgents(), addresses: hostAddresses,
		instances: func() []attach.Instance { return []attach.Instance{in} }, judged: func() { judged++ },
		containers: make(map[string]*witnessed),
	}
	begin := time.Now()
	at := func(s int) time.Time { return begin.Add(time.Duration(s) * time.Second) }
	turn := func(s int) {
		t.Helper()
		if err := w.once(t.Context(), at(s)); err != nil {
			t.Fatal(err)
		}
	}
	want := func(state odiv1.AgentState) {
		t.Helper()
		if got := in.Agent.State(); got != state {
			t.Errorf("the state is %s, want %s", got, state)
		}
	}
	turn(0)
	turn(2)
	if f.puts != 1 {
		t.Errorf("a table that is the same was put %d times", f.puts)
	}
	in.Agent.Marked(odiv1.AgentAlive)
	for range 20 {
		in.Agent.Judge(true, at(3))
	}
	turn(5)
	f.epoch, f.table = "2", "" // it was started anew: what it did not get says nothing
	turn(12)
	turn(20)
	want(odiv1.AgentAlive)
	turn(22)
	want(odiv1.AgentSeesNothing)
	f.reported = map[string]map[string]uint64{"uid-of-cart": {"app": 1}}
	turn(24)
	want(odiv1.AgentAlive)
	if f.puts != 2 || judged != 2 {
		t.Errorf("%d tables, judged %d times; want 2 and 2", f.puts, judged)
	}
}

func TestFactsAboutAgents(t *testing.T) {
	c := withAgents()
	alive, shell := agentInstance("c-cart", nil), agentInstance("c-host", nil)
	alive.Agent.Marked(odiv1.AgentAlive)
	shell.Runtime = language.Runtime{Language: language.C, Helper: true}
	failed := agentInstance("c-cart", nil)
	failed.Agent.Marked(odiv1.AgentFailed)
	without := instance(9, "c-cart", true, language.Runtime{Language: language.Python, Secure: true})
	without.Environment = []string{"PYTHONPATH", "OTEL_SERVICE_NAME"}
	c.memories.read = func(int) (int64, bool) { return 100 << 20, true }
	if !c.memories.look(c, []attach.Instance{without}) || c.memories.look(c, []attach.Instance{without}) {
		t.Error("a peak is news once")
	}
	facts, _ := c.facts([]attach.Instance{alive, failed, shell, without}, time.Now())
	if len(facts) != 1 {
		t.Fatalf("facts: %+v", facts)
	}
	wantAgent := odiv1.AgentFact{Agent: "python@1", State: odiv1.AgentFailed, Processes: 2}
	if diff := cmp.Diff(wantAgent, facts[0].Agent); diff != "" {
		t.Errorf("agents (-want +got):\n%s", diff)
	}
	wantStart := odiv1.StartFacts{Environment: []string{"OTEL_SERVICE_NAME", "PYTHONPATH"}, Secure: true, Memory: 112 << 20}
	if diff := cmp.Diff(wantStart, facts[0].Start); diff != "" {
		t.Errorf("start (-want +got):\n%s", diff)
	}
}

func TestHostAddresses(t *testing.T) {
	const trie = `Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
        |-- 10.0.0.1
           /32 host LOCAL
        |-- 10.0.0.255
           /32 link BROADCAST
        |-- 127.0.0.1
           /32 host LOCAL
`
	want := []netip.Addr{netip.MustParseAddr("10.0.0.1")}
	if diff := cmp.Diff(want, localOf(bufio.NewScanner(strings.NewReader(trie))), cmp.Comparer(equalAddresses)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	want = []netip.Addr{netip.MustParseAddr("fe80::1")}
	got := inet6Of("00000000000000000000000000000001 01 80 10 80 lo\nfe800000000000000000000000000001 02 40 20 80 eth0\nx\n")
	if diff := cmp.Diff(want, got, cmp.Comparer(equalAddresses)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func equalAddresses(a, b netip.Addr) bool { return a == b }
