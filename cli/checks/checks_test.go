package checks

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/nodefacts"
)

func quantity(text string) resource.Quantity { return resource.MustParse(text) }

// TestASoundClusterPasses is the passing case of every check.
func TestASoundClusterPasses(t *testing.T) {
	for _, c := range All() {
		findings := c.Judge(sound())
		if len(findings) == 0 {
			t.Errorf("%s has nothing to look at in a sound cluster", c.Code)
		}
		if worst(findings) != OK {
			t.Errorf("%s: %+v", c.Code, findings)
		}
	}
}

// TestNothingIsWellWithoutEvidence: where nothing was read, no check says that something is well.
func TestNothingIsWellWithoutEvidence(t *testing.T) {
	for _, c := range All() {
		findings := c.Judge(Facts{Namespace: "odi-system"})
		if len(findings) == 0 || worst(findings) != Unknown {
			t.Errorf("%s says of nothing: %+v", c.Code, findings)
		}
		for _, f := range findings {
			if f.State != Unknown || f.Text == "" {
				t.Errorf("%s has no evidence and says %+v", c.Code, f)
			}
		}
	}
}

// node changes the only node, and seen what a pod saw there.
func node(f *Facts) *corev1.Node { return &f.Nodes.Value[0] }

func seen(change func(*nodefacts.Facts)) func(*Facts) {
	return func(f *Facts) {
		facts := seenOnNode()
		change(&facts)
		f.OnNodes.Value["a"] = Of(facts)
		f.Components.Value.Nodes = nil // no odiglet's report is better than the pod's
	}
}

func values(text map[string]any) func(*Facts) { return func(f *Facts) { f.Values = Of(text) } }

func under(names ...any) map[string]any {
	value := names[len(names)-1]
	for i := len(names) - 2; i >= 0; i-- {
		value = map[string]any{names[i].(string): value}
	}
	return value.(map[string]any)
}

// broken are facts of clusters in which one thing is wrong: the failing case of every check, and what is said then.
var broken = map[string]struct {
	change   func(*Facts)
	wantText string
}{
	"ODI-101": {func(f *Facts) { f.Server = Not[Server]("connection refused") }, "connection refused"},
	"ODI-102": {func(f *Facts) { f.Server.Value.Minor, f.Server.Value.Version = 27, "v1.27.1" }, "Kubernetes is v1.27.1; odi needs 1.28 or newer"},
	"ODI-103": {func(f *Facts) { f.Server.Value.Minor, f.Server.Value.Version = 29, "v1.29.0" }, "v1.29.0 has no ValidatingAdmissionPolicy"},
	"ODI-104": {func(f *Facts) { f.Served.Value["batch/v1"] = false }, "not served: batch/v1"},
	"ODI-105": {func(f *Facts) { f.DeadAPIs = Of([]string{"v1beta1.metrics.k8s.io"}) }, "no answer from v1beta1.metrics.k8s.io"},
	"ODI-106": {func(f *Facts) { f.Server.Value.Skew = Of(-time.Hour) }, "1h0m0s apart"},
	"ODI-107": {func(f *Facts) { f.Hooks.Value[0].Ready = 0 }, "down: kyverno (no pod behind the Service kyverno/svc)"},
	"ODI-108": {func(f *Facts) { f.Definitions.Value = append(f.Definitions.Value, "instrumentations.opentelemetry.io") }, "the OpenTelemetry operator"},
	"ODI-201": {func(f *Facts) { f.House = Of[*corev1.Namespace](nil); deny("ODI-201")(f) }, "you may not create namespaces"},
	"ODI-202": {deny("ODI-202"), "you may not get customresourcedefinitions.apiextensions.k8s.io"},
	"ODI-203": {deny("ODI-203"), "you may not get clusterroles.rbac.authorization.k8s.io"},
	"ODI-204": {deny("ODI-204"), "you may not get deployments.apps in odi-system"},
	"ODI-205": {deny("ODI-205"), "you may not get secrets in odi-system"},
	"ODI-206": {deny("ODI-206"), "you may not get mutatingwebhookconfigurations"},
	"ODI-207": {deny("ODI-207"), "leases.coordination.k8s.io in odi-system"},
	"ODI-208": {deny("ODI-208"), "you may not create instrumentationconfigs.odi.dev"},
	"ODI-209": {deny("ODI-209"), "you may not list nodes"},
	"ODI-210": {deny("ODI-210"), "you may not create jobs.batch in odi-system"},
	"ODI-211": {deny("ODI-211"), "you may not create pods/portforward in odi-system"},
	"ODI-301": {func(f *Facts) { f.House.Value.DeletionTimestamp = &metav1.Time{Time: now} }, "odi-system is being deleted since 12:00:00 UTC"},
	"ODI-302": {func(f *Facts) { f.House.Value.Labels[levelLabel] = "restricted" }, "enforces the level restricted"},
	"ODI-303": {func(f *Facts) { f.PodRefusal = Of("violates PodSecurity") }, "violates PodSecurity"},
	"ODI-304": {func(f *Facts) { f.Quotas = Of([]corev1.ResourceQuota{quota(corev1.ResourcePods, "3", "3")}) }, "q has nothing left of pods (3 of 3)"},
	"ODI-305": {func(f *Facts) {
		f.Limits = Of([]corev1.LimitRange{{ObjectMeta: metav1.ObjectMeta{Name: "small"}, Spec: corev1.LimitRangeSpec{
			Limits: []corev1.LimitRangeItem{{Type: corev1.LimitTypeContainer, Max: corev1.ResourceList{corev1.ResourceMemory: quantity("128Mi")}}}}}})
	}, "small allows a container 128Mi of memory"},
	"ODI-306": {func(f *Facts) { f.House.Value.Labels["istio-injection"] = "enabled" }, "Istio"},
	"ODI-307": {func(f *Facts) { f.PullSecrets.Value["registry"] = false }, "missing: registry"},
	"ODI-401": {func(f *Facts) { f.Release.Value.Elsewhere = []string{"telemetry"} }, "odi is in telemetry"},
	"ODI-402": {func(f *Facts) { f.Release.Value.State.Unfinished, f.Release.Value.State.Since = "upgrade", now }, "the upgrade that began at 12:00:00 UTC is not finished"},
	"ODI-403": {func(f *Facts) { f.Kinds.Value[0].Version = "2.0.0" }, "the cluster has odi 2.0.0, this program is 1.2.3"},
	"ODI-404": {func(f *Facts) { f.Kinds.Value[0].Deleting = true }, "being deleted: destinations.odi.dev"},
	"ODI-405": {func(f *Facts) { f.Foreign = Of([]string{"clusterrole/odiglet"}) }, "not this release's: clusterrole/odiglet"},
	"ODI-406": {func(f *Facts) { f.Release.Value.State.Exists = false }, "odi-pods is there, and no release"},
	"ODI-407": {func(f *Facts) { f.Release.Value.State.Exists = false }, "labelled: shop"},
	"ODI-408": {func(f *Facts) { f.Strays = Of([]string{"namespace/odi-check"}) }, "left: namespace/odi-check"},
	"ODI-501": {func(f *Facts) { f.ValuesProblem = Of("manger is not allowed") }, "manger is not allowed"},
	"ODI-502": {func(f *Facts) {
		f.Refusals = Of([]Refusal{{Object: "clusterrole/odiglet", Text: "denied by a policy"}})
	}, "denied by a policy"},
	"ODI-503": {func(f *Facts) { f.Definitions = Of([]string(nil)) }, "podmonitors.monitoring.coreos.com (monitoring.podMonitors.enabled), prometheusrules"},
	"ODI-504": {func(f *Facts) { f.Classes.Value["system-node-critical"] = false }, "missing: system-node-critical"},
	"ODI-505": {values(under("odiglet", "nodeSelector", "pool", "b")), "none of 1 node"},
	"ODI-506": {values(under("odiglet", "capabilities", []any{"BPF"})), "odiglet.capabilities lacks PERFMON, SYS_PTRACE"},
	"ODI-507": {values(under("monitoring", "podMonitors", "enabled", true)), "metricsFrom names nobody"},
	"ODI-508": {values(under("image", "tag", "latest")), "image.tag=latest"},
	"ODI-601": {func(f *Facts) { node(f).Labels[corev1.LabelOSStable] = "windows" }, "0 of 1 node"},
	"ODI-602": {func(f *Facts) { node(f).Status.NodeInfo.KernelVersion = "5.15.0-91-generic" }, "Linux 5.15.0-91-generic; 6.1 is needed on amd64"},
	"ODI-603": {func(f *Facts) { node(f).Status.NodeInfo.Architecture = "s390x" }, "the processor is s390x"},
	"ODI-604": {func(f *Facts) { node(f).Labels["eks.amazonaws.com/compute-type"] = "fargate" }, "it is a virtual node"},
	"ODI-605": {func(f *Facts) { node(f).Status.Conditions[1].Status = corev1.ConditionTrue }, "it has DiskPressure"},
	"ODI-610": {func(f *Facts) {
		f.OnNodes.Value["a"] = Not[nodefacts.Facts](Failed + "ImagePullBackOff: no such image")
	}, "ImagePullBackOff: no such image"},
	"ODI-611": {seen(func(f *nodefacts.Facts) { f.BTF = false }), "there is no /sys/kernel/btf/vmlinux"},
	"ODI-612": {seen(func(f *nodefacts.Facts) { f.Capabilities = []string{"SYS_PTRACE"} }), "did not get BPF, PERFMON"},
	"ODI-613": {seen(func(f *nodefacts.Facts) {
		f.Features[0] = nodefacts.Feature{Name: "SocketSpans", State: "Unavailable", Reason: "operation not permitted."}
	}), "Unavailable: operation not permitted"},
	"ODI-614": {seen(func(f *nodefacts.Facts) { f.Features[1].State = "Degraded" }), "Propagation is Degraded"},
	"ODI-615": {seen(func(f *nodefacts.Facts) { f.Lockdown = "confidentiality" }), "lockdown is confidentiality"},
	"ODI-616": {seen(func(f *nodefacts.Facts) { f.HostProcesses = false }), "its own container alone"},
	"ODI-617": {seen(func(f *nodefacts.Facts) { f.NestedProcesses = true }), "a container of a machine"},
	"ODI-618": {seen(func(f *nodefacts.Facts) { f.Cgroup2 = false }), "is not of version 2"},
	"ODI-619": {seen(func(f *nodefacts.Facts) { f.JIT = "0" }), "bpf_jit_enable is 0"},
	"ODI-620": {seen(func(f *nodefacts.Facts) { f.Instrumenters, f.Preloaded = []string{"Pixie"}, "/x.so" }), "Pixie; /etc/ld.so.preload has /x.so"},
	"ODI-621": {seen(func(f *nodefacts.Facts) { f.MemoryAvailable = 100 << 20 }), "100 MiB are available"},
	"ODI-622": {seen(func(f *nodefacts.Facts) { f.Time = now.Add(-5 * time.Minute) }), "5m0s apart"},
	"ODI-623": {seen(func(f *nodefacts.Facts) { f.Looks[0] = nodefacts.Look{Address: APIServer, Error: "no such host"} }), "no such host"},
	"ODI-624": {seen(func(f *nodefacts.Facts) { f.Looks[0].Connected, f.Looks[0].Error = false, "connection refused" }), "connection refused"},
	"ODI-701": {func(f *Facts) { f.Components.Value.Manager = nil }, "does not exist yet"},
	"ODI-702": {func(f *Facts) { f.Components.Value.Gateway = nil }, "does not exist yet"},
	"ODI-703": {func(f *Facts) { f.Components.Value.NodeCollector = nil }, "do not exist yet"},
	"ODI-704": {func(f *Facts) { f.Components.Value.Nodes = nil }, "runs, but has not reported yet"},
	"ODI-705": {func(f *Facts) { f.HookEndpoints = Of(0) }, "no ready pod is behind the Service odi-webhook"},
	"ODI-706": {func(f *Facts) { f.Certificates.Value[0].Until = now.Add(time.Hour) }, "it runs out at 2026-11-26T13:00:00Z"},
	"ODI-707": {func(f *Facts) { f.Components.Value.Pods[0].Labels[versionLabel] = "1.2.2" }, "1.2.2, 1.2.3"},
	"ODI-708": {func(f *Facts) { f.Version = "1.3.0" }, "the cluster has 1.2.3, this program is 1.3.0"},
	"ODI-709": {func(f *Facts) {
		f.Components.Value.Pods[0].Status.ContainerStatuses = []corev1.ContainerStatus{{RestartCount: 9}}
	}, "manager-x restarted 9 times"},
	"ODI-801": {func(f *Facts) { f.Destinations.Value[0].Spec.Disabled = true }, "none that is enabled, of 1"},
	"ODI-802": {func(f *Facts) { f.Destinations.Value[0].Status.Conditions[0].Status = "False" }, "Because: It is so"},
	"ODI-803": {func(f *Facts) { f.Destinations.Value[0].Status.Conditions[1].Status = "False" }, "Because: It is so"},
	"ODI-804": {func(f *Facts) { f.Backends.Value[0].Problem = "no ready pod is behind it" }, "observability/jaeger:4317: no ready pod is behind it"},
	"ODI-805": {func(f *Facts) { f.Configs = Of([]odiv1.InstrumentationConfig{}) }, "0 InstrumentationConfig"},
	"ODI-806": {func(f *Facts) { f.Configs.Value[0].Status.Conditions[0].Status = "False" }, "Because: It is so"},
	"ODI-808": {func(f *Facts) { f.Destinations.Value[0].Status.Conditions[2].Status = "False" }, "Because: It is so"},
	"ODI-807": {seen(func(f *nodefacts.Facts) {
		f.Looks[1] = nodefacts.Look{Address: "jaeger.observability:4317", Error: "no such host"}
	}), "jaeger.observability:4317 in a pod on a: no such host"},
}

// deny takes all rights of a check.
func deny(code string) func(*Facts) {
	return func(f *Facts) {
		c, _ := Find(code)
		for _, r := range c.Rights {
			f.Rights[r] = Of(false)
		}
	}
}

// unknownExporting is a Destination of which only who asked the gateway knows something.
func unknownExporting(asked Known[[]Asked]) func(*Facts) {
	return func(f *Facts) {
		f.Destinations.Value[0].Status.Conditions[1].Status = "Unknown"
		f.Asked = asked
	}
}

// TestEveryCheckCanFail is the failing case of every check.
func TestEveryCheckCanFail(t *testing.T) {
	for _, c := range All() {
		tc, ok := broken[c.Code]
		if !ok {
			t.Errorf("%s (%s) has no failing case", c.Code, c.Title)
			continue
		}
		f := sound()
		tc.change(&f)
		findings := c.Judge(f)
		if worst(findings) != Broken {
			t.Errorf("%s: %+v", c.Code, findings)
			continue
		}
		text := ""
		for _, finding := range findings {
			text += finding.Text + "\n"
		}
		if !strings.Contains(text, tc.wantText) {
			t.Errorf("%s says %q, want %q", c.Code, text, tc.wantText)
		}
	}
	for code := range broken {
		if _, ok := Find(code); !ok {
			t.Errorf("%s has a failing case and is no check", code)
		}
	}
}

// TestOtherWays are further cases in which a check says something.
func TestOtherWays(t *testing.T) {
	for name, tc := range map[string]struct {
		code   string
		change func(*Facts)
		want   State
		text   string
	}{
		"a webhook that lets pods through while it is down": {"ODI-107", func(f *Facts) { f.Hooks.Value[0].Ready, f.Hooks.Value[0].Closed = 0, false }, OK, "1 webhooks"},
		"a webhook of other namespaces":                     {"ODI-107", func(f *Facts) { f.Hooks.Value[0].Ready, f.Hooks.Value[0].Selects = 0, false }, OK, ""},
		"the namespace exists, and may not be made":         {"ODI-201", deny("ODI-201"), OK, "odi-system exists"},
		"one right of many is unknown": {"ODI-205", func(f *Facts) {
			f.Rights[Right{"get", "", "secrets", true}] = Not[bool]("timeout")
		}, Unknown, "timeout"},
		"no namespace yet":                      {"ODI-302", func(f *Facts) { f.House = Of[*corev1.Namespace](nil) }, OK, "odi install makes"},
		"a level that the cluster's default is": {"ODI-302", func(f *Facts) { delete(f.House.Value.Labels, levelLabel) }, OK, "ODI-303"},
		"a quota for limits of cpu":             {"ODI-304", func(f *Facts) { f.Quotas = Of([]corev1.ResourceQuota{quota("limits.cpu", "4", "0")}) }, Broken, "counts limits.cpu"},
		"a version that is none":                {"ODI-403", func(f *Facts) { f.Version = "dev" }, Unknown, "cannot be compared"},
		"newer kinds that are left as they are": {"ODI-403", func(f *Facts) {
			f.Kinds.Value[0].Version = "2.0.0"
			f.Values = Of(under("crds", "install", false))
		}, OK, "this program is"},
		"an object of a kind that is not there is another check's": {"ODI-502", func(f *Facts) {
			f.Refusals = Of([]Refusal{{Object: "podmonitor/odi", Unserved: true}})
		}, OK, ""},
		"no node at all":       {"ODI-505", func(f *Facts) { f.Nodes = Of([]corev1.Node{}) }, Unknown, "no node yet"},
		"a privileged odiglet": {"ODI-506", values(under("odiglet", "privileged", true)), OK, ""},
		"arm64 needs a newer kernel": {"ODI-602", func(f *Facts) {
			node(f).Status.NodeInfo.Architecture, node(f).Status.NodeInfo.KernelVersion = "arm64", "6.1.0"
		}, Broken, "6.4 is needed on arm64"},
		"a kernel that nobody knows":    {"ODI-602", func(f *Facts) { node(f).Status.NodeInfo.KernelVersion = "gvisor" }, Unknown, "none that can be judged"},
		"a pod that comes too late":     {"ODI-610", func(f *Facts) { f.OnNodes.Value["a"] = Not[nodefacts.Facts]("ContainerCreating") }, Unknown, "ContainerCreating"},
		"a fact that a pod did not see": {"ODI-618", seen(func(f *nodefacts.Facts) { f.Unseen = map[string]string{"cgroup2": "denied"} }), Unknown, "denied"},
		"a kernel without lockdown":     {"ODI-615", seen(func(f *nodefacts.Facts) { f.Lockdown = "" }), Unknown, "does not say"},
		"an odiglet's report is better": {"ODI-614", func(f *Facts) { f.OnNodes.Value["a"] = Not[nodefacts.Facts]("no pod") }, OK, "1 feature"},
		"a report that is not believed": {"ODI-613", func(f *Facts) {
			f.Components.Value.Nodes[0].Status.Conditions[0].Status = "Unknown"
			f.OnNodes = Not[map[string]Known[nodefacts.Facts]]("--no-pods")
		}, Unknown, "--no-pods"},
		"nodes that were not asked": {"ODI-611", func(f *Facts) {
			other := soundNode()
			other.Name = "b"
			f.Nodes.Value = append(f.Nodes.Value, other)
		}, Unknown, "1 more node: not asked"},
		"a container that was killed for its memory": {"ODI-709", func(f *Facts) {
			f.Components.Value.Pods[0].Status.ContainerStatuses = []corev1.ContainerStatus{{LastTerminationState: corev1.ContainerState{
				Terminated: &corev1.ContainerStateTerminated{Reason: "OOMKilled"}}}}
		}, Broken, "killed for its memory"},
		"a test of another configuration": {"ODI-808", func(f *Facts) { f.Destinations.Value[0].Generation = 2 }, Unknown, "changed after its latest test"},
		"a backend that nobody called":    {"ODI-807", seen(func(f *nodefacts.Facts) { f.Looks = f.Looks[:1] }), Unknown, "was not called from any node"},
		"an exporting that is not known":  {"ODI-803", unknownExporting(Of([]Asked(nil))), Unknown, "It is so, and the gateway was not asked about it"},
		"nobody may ask the gateway":      {"ODI-803", unknownExporting(Of([]Asked{{Destination: "odi-system/jaeger", Problem: "no permission"}})), Unknown, "did not tell: no permission"},
		"nobody is to ask the gateway":    {"ODI-803", unknownExporting(Not[[]Asked]("--no-ask was given")), Unknown, "--no-ask was given"},
		"the gateway says that it works":  {"ODI-803", unknownExporting(Of([]Asked{{Destination: "odi-system/jaeger"}})), OK, "the backend took one of each signal"},
		"the gateway says that it fails":  {"ODI-803", unknownExporting(Of([]Asked{{Destination: "odi-system/jaeger", Refused: "logs: HTTP: no"}})), Broken, "just now: logs: HTTP: no"},
		"an exporting of before a change": {"ODI-803", func(f *Facts) {
			f.Destinations.Value[0].Generation, f.Destinations.Value[0].Status.Conditions[0].ObservedGeneration = 2, 2
		}, Unknown, "the gateway was not asked about it"},
	} {
		t.Run(name, func(t *testing.T) {
			f := sound()
			tc.change(&f)
			c, _ := Find(tc.code)
			findings := c.Judge(f)
			if worst(findings) != tc.want || !strings.Contains(findings[len(findings)-1].Text, tc.text) {
				t.Errorf("got %+v, want %s, %q", findings, tc.want, tc.text)
			}
		})
	}
	f := sound()
	f.Hook = Of[*admissionv1.MutatingWebhookConfiguration](nil)
	if c, _ := Find("ODI-705"); len(c.Judge(f)) > 0 {
		t.Error("a webhook that is switched off is judged")
	}
}

// TestEveryCodeIsUniqueAndDocumented holds what docs, scripts and people rely on.
func TestEveryCodeIsUniqueAndDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/checks.md")
	if err != nil {
		t.Fatal(err)
	}
	seen, last := map[string]bool{}, ""
	for _, c := range All() {
		if seen[c.Code] || c.Code <= last {
			t.Errorf("%s is there twice, or out of order after %s", c.Code, last)
		}
		seen[c.Code], last = true, c.Code
		if !regexp.MustCompile(`^ODI-[1-9]\d\d$`).MatchString(c.Code) {
			t.Errorf("%q is no code", c.Code)
		}
		if c.Title == "" || strings.HasSuffix(c.Title, ".") || !strings.HasSuffix(c.Why, ".") || c.Mend == "" || c.Judge == nil {
			t.Errorf("%s is incomplete: %+v", c.Code, c)
		}
		if c.Severity != Fatal && c.Severity != Warning && c.Severity != Note {
			t.Errorf("%s has the severity %q", c.Code, c.Severity)
		}
		if !c.Phase.in(Before) && !c.Phase.in(After) {
			t.Errorf("%s is never made", c.Code)
		}
		if !strings.Contains(string(page), "| `"+c.Code+"` |") {
			t.Errorf("docs/checks.md does not have %s; go generate ./cli", c.Code)
		}
	}
	if len(seen) < 40 {
		t.Errorf("only %d checks", len(seen))
	}
}
