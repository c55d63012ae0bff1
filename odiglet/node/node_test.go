package node

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/procfs"
	"github.com/odi-dev/odi/internal/workload"
	"github.com/odi-dev/odi/languages/language"
	"github.com/odi-dev/odi/odiglet/attach"
	"github.com/odi-dev/odi/odiglet/process"
	"github.com/odi-dev/odi/odiglet/routes"
	"github.com/odi-dev/odi/odiglet/spans"
)

// cartStarted is when its container was started.
var cartStarted = time.Unix(1_700_000_000, 0)

// cartPod is a pod of the Deployment cart with two containers, of which one has
// not started yet.
func cartPod() *corev1.Pod {
	controller := true
	get := func(path string) *corev1.Probe {
		return &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: path, Port: intstr.FromInt32(80)}}}
	}
	byGRPC := &corev1.Probe{ProbeHandler: corev1.ProbeHandler{GRPC: &corev1.GRPCAction{Port: 81}}}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "shop", Name: "cart-5d9-x", UID: "u1",
			Labels:          map[string]string{"pod-template-hash": "5d9", "app": "cart"},
			Annotations:     map[string]string{odiv1.AnnotationServiceName: "my-cart", "other": "x"},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "cart-5d9", UID: "u2", Controller: &controller}},
			ManagedFields:   []metav1.ManagedFieldsEntry{{Manager: "kubelet"}},
		},
		Spec: corev1.PodSpec{
			Volumes: []corev1.Volume{{Name: "v"}},
			Containers: []corev1.Container{
				{Name: "app", Image: "cart:1", LivenessProbe: get("healthz?full=1"), ReadinessProbe: get("/ready"), StartupProbe: byGRPC, Env: []corev1.EnvVar{{Name: "A"}}},
				{Name: "late", Image: "late:1"},
			},
		},
		Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{
			{Name: "app", ContainerID: "containerd://c1", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(cartStarted)}}},
			{Name: "late", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{}}},
		}},
	}
}

var (
	cart         = workload.Reference{Namespace: "shop", Kind: odiv1.KindDeployment, Name: "cart"}
	cartReplicas = workload.Reference{Namespace: "shop", Kind: odiv1.KindReplicaSet, Name: "cart-5d9"}
)

func TestReadPod(t *testing.T) {
	want := pod{
		namespace: "shop", name: "cart-5d9-x", uid: "u1", serviceName: "my-cart",
		direct: cartReplicas, ownerUID: "u2", asks: true,
		workloads:  []workload.Reference{cart, cartReplicas},
		containers: []container{{name: "app", id: "c1", image: "cart:1", running: true, probes: []string{"/grpc.health.v1.Health/Check", "/healthz", "/ready"}}},
		since:      cartStarted,
	}
	if diff := cmp.Diff(want, readPod(cartPod()), cmp.AllowUnexported(pod{}, container{})); diff != "" {
		t.Errorf("pod (-want +got):\n%s", diff)
	}
	small, err := slim(cartPod())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, readPod(small.(*corev1.Pod)), cmp.AllowUnexported(pod{}, container{})); diff != "" {
		t.Errorf("what the cache keeps is not enough (-want +got):\n%s", diff)
	}
}

// TestEveryContainerOfAPodIsRead holds that processes of init containers, native sidecars and debugging containers have a place.
func TestEveryContainerOfAPodIsRead(t *testing.T) {
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	p := cartPod()
	always := corev1.ContainerRestartPolicyAlways
	p.Spec.InitContainers = []corev1.Container{{Name: "migrate", Image: "m:1"}, {Name: "proxy", Image: "p:1", RestartPolicy: &always}}
	p.Spec.EphemeralContainers = []corev1.EphemeralContainer{
		{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "debug", Image: "d:1"}, TargetContainerName: "app"},
	}
	p.Status.InitContainerStatuses = []corev1.ContainerStatus{
		{Name: "migrate", ContainerID: "containerd://i1"}, {Name: "proxy", ContainerID: "containerd://i2", State: running},
	}
	p.Status.EphemeralContainerStatuses = []corev1.ContainerStatus{{Name: "debug", ContainerID: "containerd://e1", State: running}}
	small, err := slim(p)
	if err != nil {
		t.Fatal(err)
	}
	want := []container{
		{name: "migrate", id: "i1", image: "m:1"}, {name: "proxy", id: "i2", image: "p:1", running: true},
		{name: "app", id: "c1", image: "cart:1", running: true, probes: []string{"/grpc.health.v1.Health/Check", "/healthz", "/ready"}},
		{name: "debug", id: "e1", image: "d:1", running: true},
	}
	if diff := cmp.Diff(want, readPod(small.(*corev1.Pod)).containers, cmp.AllowUnexported(container{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("containers (-want +got):\n%s", diff)
	}
}

func instance(pid int, containerID string, attached bool, rt language.Runtime) attach.Instance {
	return attach.Instance{
		Process: process.Process{PID: pid, Start: 1, Exe: "/app/cart", Container: procfs.Container{ID: containerID}},
		Runtime: rt, Detected: true, Attached: attached,
	}
}

func TestSelect(t *testing.T) {
	for name, tc := range map[string]struct {
		iw   *odiv1.InstrumentedWorkloadSpec
		id   string
		want attach.Verdict
	}{
		"a workload that is not selected": {id: "c1"},
		"a selected one without a decision yet is looked at": {
			iw: &odiv1.InstrumentedWorkloadSpec{}, id: "c1", want: attach.Verdict{Detect: true},
		},
		"eBPF was decided": {
			iw: decision("app", odiv1.MethodEBPF), id: "c1", want: attach.Verdict{Detect: true, Attach: true},
		},
		"an agent was decided, whether the pod has it yet or not": {
			iw: decision("app", odiv1.MethodAgent), id: "c1", want: attach.Verdict{Detect: true, Attach: true},
		},
		"nothing was decided for this container": {
			iw: decision("other", odiv1.MethodEBPF), id: "c1", want: attach.Verdict{Detect: true},
		},
		"it was switched off": {
			iw: decision("app", odiv1.MethodNone), id: "c1", want: attach.Verdict{Detect: true},
		},
		"a process of no known container": {iw: decision("app", odiv1.MethodEBPF), id: "c2"},
		"a process of the host":           {iw: decision("app", odiv1.MethodEBPF), id: ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster("n1", func() {})
			c.setPod(readPod(cartPod()))
			if tc.iw != nil {
				c.setWorkload(cart, readWorkload(&odiv1.InstrumentedWorkload{Spec: *tc.iw}))
			}
			got := c.Select(process.Process{PID: 1, Container: procfs.Container{ID: tc.id}}, true)
			if got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
}

func decision(container string, m odiv1.Method) *odiv1.InstrumentedWorkloadSpec {
	return &odiv1.InstrumentedWorkloadSpec{Containers: []odiv1.ContainerDecision{{Name: container, Method: m}}}
}

func TestOriginAndWhatBecomesOfIt(t *testing.T) {
	changes := 0
	c := newCluster("n1", func() { changes++ })
	p := instance(7, "c1", true, language.Runtime{Language: language.Go}).Process
	spec := decision("app", odiv1.MethodEBPF)
	spec.Routes = []string{"/users/{name}"}
	spec.SamplingRatio, spec.QueryKeys, spec.Propagation = "0.1", []string{"q"}, odiv1.PropagationNone
	spec.IgnoredPaths, spec.Signals = []string{"/internal/*"}, []odiv1.Signal{odiv1.SignalTraces}
	c.setPod(readPod(cartPod()))
	c.setWorkload(cart, readWorkload(&odiv1.InstrumentedWorkload{Spec: *spec}))

	o, ok := c.Origin(p, language.Runtime{Language: language.Go}, nil)
	if !ok {
		t.Fatal("no origin")
	}
	if o.Service.Name != "my-cart" || o.Service.InstanceID != "shop.cart-5d9-x.app" || !o.Traces || o.Metrics {
		t.Errorf("origin %+v", o)
	}
	wantFilter := spans.Filter{Ignored: []string{"/internal/*"}, Probes: []string{"/grpc.health.v1.Health/Check", "/healthz", "/ready"}}
	if diff := cmp.Diff(wantFilter, o.Filter); diff != "" {
		t.Errorf("filter (-want +got):\n%s", diff)
	}

	if o.Sampling != probe.SampleRatio(0.1) {
		t.Errorf("sampling %+v", o.Sampling)
	}
	spec.SamplingRules = []odiv1.SamplingRule{{Path: "/healthz", Ratio: "0"}}
	c.setWorkload(cart, readWorkload(&odiv1.InstrumentedWorkload{Spec: *spec}))
	if ruled, ok := c.Origin(p, language.Runtime{Language: language.Go}, nil); !ok || ruled.Sampling.Rules() == "" || ruled.Equal(o) {
		t.Errorf("with rules: %+v", ruled.Sampling)
	}
	spec.Containers[0].Method = odiv1.MethodAgent // whose agent knows no rules
	c.setWorkload(cart, readWorkload(&odiv1.InstrumentedWorkload{Spec: *spec}))
	if agents, ok := c.Origin(p, language.Runtime{Language: language.Go}, nil); !ok || agents.Sampling != o.Sampling {
		t.Errorf("with rules and an agent: %+v", agents.Sampling)
	}
	spec.Containers[0].Method, spec.SamplingRules = odiv1.MethodEBPF, nil
	if !o.Untouched {
		t.Error("headers are written although propagation is None")
	}
	spec.Propagation = odiv1.PropagationAuto
	c.setWorkload(cart, readWorkload(&odiv1.InstrumentedWorkload{Spec: *spec}))
	if again, ok := c.Origin(p, language.Runtime{Language: language.Go}, nil); !ok || again.Untouched || again.Equal(o) {
		t.Errorf("propagation is Auto again: %v %+v", ok, again)
	}
	if !slices.Equal(o.QueryKeys, spec.QueryKeys) {
		t.Errorf("keys of queries %v", o.QueryKeys)
	}
	if want, err := routes.Compile(spec.Routes); err != nil || !o.Routes.Equal(want) {
		t.Errorf("routes %+v, %v", o.Routes, err)
	}

	c.deleteWorkload(cart)
	if _, ok := c.Origin(p, language.Runtime{}, nil); ok || c.Select(p, false) != (attach.Verdict{}) {
		t.Error("the decision is gone, and the process still a target")
	}
	c.deletePod("shop", "cart-5d9-x")
	if len(c.pods)+len(c.byContainer) != 0 || changes != 7 {
		t.Errorf("left over: %v %v after %d changes", c.pods, c.byContainer, changes)
	}
}

func TestFacts(t *testing.T) {
	c := newCluster("n1", func() {})
	c.setPod(readPod(cartPod()))
	second := cartPod()
	second.Name, second.Status.ContainerStatuses[0].ContainerID = "cart-5d9-y", "containerd://c2"
	c.setPod(readPod(second))
	third := cartPod()
	third.Name, third.Status.ContainerStatuses[0].ContainerID = "cart-5d9-z", "containerd://c3"
	c.setPod(readPod(third))
	c.setWorkload(cart, decided{})

	goRuntime := language.Runtime{Language: language.Go, Version: "1.26.8", Libc: language.Static}
	failed := instance(3, "c2", false, goRuntime)
	failed.Error = "the table of targets is full"
	facts, truncated := c.facts([]attach.Instance{
		instance(1, "c1", true, goRuntime),
		instance(2, "c1", true, language.Runtime{Language: language.C, Helper: true}),
		failed,
		instance(4, "elsewhere", true, goRuntime),
	}, time.Now())
	want := []odiv1.ContainerFact{{
		Namespace: "shop", Workload: cart.Local(), Container: "app",
		Runtime: odiv1.Runtime{Language: "go", Version: "1.26.8", Libc: "static"},
		Pods:    3, AttachedPods: 1, Processes: 3, Attached: 2, Error: "the table of targets is full",
	}}
	if diff := cmp.Diff(want, facts); diff != "" || truncated != 0 {
		t.Errorf("facts (-want +got), %d truncated:\n%s", truncated, diff)
	}
}

// TestPodsThatProduceTelemetry has PostgreSQL fork a process per connection, and probes start programs.
func TestPodsThatProduceTelemetry(t *testing.T) {
	now := time.Now()
	attached := instance(1, "c1", true, language.Runtime{Language: language.C})
	waiting := func(since time.Duration) attach.Instance {
		in := instance(2, "c1", false, language.Runtime{})
		in.Met = now.Add(-since)
		return in
	}
	failed := waiting(0)
	failed.Error = "the table of targets is full"
	for name, tc := range map[string]struct {
		instances []attach.Instance
		want      int32
	}{
		"nothing runs":                            {nil, 0},
		"its process is attached":                 {[]attach.Instance{attached}, 1},
		"another has just been met":               {[]attach.Instance{attached, waiting(0)}, 1},
		"another has waited for some seconds":     {[]attach.Instance{waiting(5 * time.Second), attached}, 1},
		"another has waited for too long":         {[]attach.Instance{attached, waiting(11 * time.Second)}, 0},
		"another failed":                          {[]attach.Instance{attached, failed}, 0},
		"one failed, one waits, one is attached":  {[]attach.Instance{failed, waiting(0), attached}, 0},
		"only one that has just been met":         {[]attach.Instance{waiting(0)}, 0},
		"only one that failed":                    {[]attach.Instance{failed}, 0},
		"the clock was set back since it was met": {[]attach.Instance{attached, waiting(-time.Hour)}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster("n1", func() {})
			c.setPod(readPod(cartPod()))
			c.setWorkload(cart, decided{})
			facts, _ := c.facts(tc.instances, now)
			if got := facts[0]; got.Pods != 1 || got.AttachedPods != tc.want || got.Processes != int32(len(tc.instances)) {
				t.Errorf("%d of %d pods, %d processes, want %d pods of 1, %d processes",
					got.AttachedPods, got.Pods, got.Processes, tc.want, len(tc.instances))
			}
		})
	}
}

func TestStatus(t *testing.T) {
	got := status("6.18", []probe.Feature{
		{Name: probe.SocketSpans, State: probe.Unavailable, Reason: "kernel 5.4 has no BTF"},
	}, []attach.Instance{instance(1, "c1", true, language.Runtime{}), instance(2, "c1", false, language.Runtime{})}, nil, 0)
	if got.Attached != 1 || got.Features[0].State != odiv1.FeatureUnavailable {
		t.Errorf("status %+v", got)
	}
	if c := got.Conditions[0]; c.Type != "Ready" || c.Status != "False" || c.Reason != odiv1.ReasonFeatureUnavailable ||
		c.Message != "This node cannot instrument processes: kernel 5.4 has no BTF" {
		t.Errorf("condition %+v", c)
	}
}
