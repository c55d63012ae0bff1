package checks

import (
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/components"
	"github.com/odi-dev/odi/cli/kinds"
	"github.com/odi-dev/odi/cli/release"
	"github.com/odi-dev/odi/internal/nodefacts"
)

var now = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// sound are the facts of a cluster in which everything is well and every check has something to look at.
func sound() Facts {
	f := Facts{
		Namespace: "odi-system", Version: "1.2.3", Now: now,
		Server:      Of(Server{Version: "v1.36.3", Major: 1, Minor: 36, Skew: Of(time.Second)}),
		Served:      Of(map[string]bool{}),
		DeadAPIs:    Of([]string(nil)),
		Definitions: Of([]string{"certificates.cert-manager.io", "podmonitors.monitoring.coreos.com", "prometheusrules.monitoring.coreos.com"}),
		Hooks:       Of([]Hook{{Name: "kyverno", Closed: true, Service: "kyverno/svc", Ready: 2, Selects: true}}),
		Rights:      map[Right]Known[bool]{},
		House:       Of(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "odi-system", Labels: map[string]string{levelLabel: "privileged"}}}),
		Quotas:      Of([]corev1.ResourceQuota{quota(corev1.ResourcePods, "10", "3")}),
		Limits:      Of([]corev1.LimitRange(nil)),
		PodRefusal:  Of(""),
		PullSecrets: Of(map[string]bool{"registry": true}),
		Values: Of(map[string]any{
			"monitoring":      map[string]any{"podMonitors": map[string]any{"enabled": true}, "alerts": map[string]any{"enabled": true}},
			"networkPolicies": map[string]any{"metricsFrom": []any{map[string]any{}}},
			"odiglet":         map[string]any{"capabilities": []any{"BPF", "PERFMON", "SYS_PTRACE"}, "nodeSelector": map[string]any{"pool": "a"}},
		}),
		ValuesProblem: Of(""),
		Refusals:      Of([]Refusal(nil)),
		Classes:       Of(map[string]bool{"system-node-critical": true}),
		Release:       Of(Release{State: release.State{Exists: true, Version: "1.2.3", Deployed: true}}),
		Kinds:         Of([]Kind{{Definition: kinds.Definition{Name: "destinations.odi.dev", Version: "1.2.3"}}}),
		Foreign:       Of([]string(nil)),
		Marked:        Of([]string{"shop"}),
		Strays:        Of([]string(nil)),
		Nodes:         Of([]corev1.Node{soundNode()}),
		OnNodes:       Of(map[string]Known[nodefacts.Facts]{"a": Of(seenOnNode())}),
		Components:    Of(soundComponents()),
		Hook: Of(&admissionv1.MutatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: "odi-pods"},
			Webhooks: []admissionv1.MutatingWebhook{{ClientConfig: admissionv1.WebhookClientConfig{CABundle: []byte("pem")}}}}),
		HookEndpoints: Of(1),
		Certificates:  Of([]Certificate{{Secret: "odi-gateway-tls", Until: now.Add(60 * 24 * time.Hour)}}),
		Destinations: Of([]odiv1.Destination{{ObjectMeta: metav1.ObjectMeta{Namespace: "odi-system", Name: "jaeger"},
			Status: odiv1.DestinationStatus{Conditions: []metav1.Condition{condition("Ready", "True"), condition("Exporting", "True"), condition("Tested", "True")}}}}),
		Configs: Of([]odiv1.InstrumentationConfig{{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "namespace"},
			Status: odiv1.InstrumentationConfigStatus{Conditions: []metav1.Condition{condition("Ready", "True")}}}}),
		Asked:    Of([]Asked(nil)),
		Backends: Of([]Backend{{Destination: "odi-system/jaeger", Service: "observability/jaeger", Port: 4317}}),
		Called:   Of([]Call{{Destination: "odi-system/jaeger", Address: "jaeger.observability:4317"}}),
	}
	for _, group := range neededGroups {
		f.Served.Value[group] = true
	}
	for _, r := range Rights() {
		f.Rights[r] = Of(true)
	}
	return f
}

func condition(kind string, status metav1.ConditionStatus) metav1.Condition {
	return metav1.Condition{Type: kind, Status: status, Reason: "Because", Message: "It is so."}
}

func quota(name corev1.ResourceName, hard, used string) corev1.ResourceQuota {
	return corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "q"},
		Spec:   corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{name: quantity(hard)}},
		Status: corev1.ResourceQuotaStatus{Hard: corev1.ResourceList{name: quantity(hard)}, Used: corev1.ResourceList{name: quantity(used)}}}
}

func soundNode() corev1.Node {
	return corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: "a", Labels: map[string]string{corev1.LabelOSStable: "linux", "pool": "a"}},
		Status: corev1.NodeStatus{
			NodeInfo:   corev1.NodeSystemInfo{KernelVersion: "6.8.0-45-generic", Architecture: "amd64"},
			Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}, {Type: corev1.NodeDiskPressure, Status: corev1.ConditionFalse}},
		},
	}
}

func seenOnNode() nodefacts.Facts {
	return nodefacts.Facts{
		Kernel: "6.8.0", Arch: "amd64", Time: now, BTF: true, Lockdown: "none", JIT: "1", Cgroup2: true, HostProcesses: true,
		Capabilities: []string{"BPF", "PERFMON", "SYS_PTRACE", "NET_ADMIN"}, MemoryAvailable: 2 << 30,
		Features: []nodefacts.Feature{{Name: "SocketSpans", State: "Active"}, {Name: "Propagation", State: "Active"}},
		Looks:    []nodefacts.Look{{Address: APIServer, Resolved: true, Connected: true}, {Address: "jaeger.observability:4317", Resolved: true, Connected: true}},
	}
}

func soundComponents() components.Observed {
	labels := func(component string) map[string]string {
		return map[string]string{"app.kubernetes.io/version": "1.2.3", odiv1.LabelComponent: component}
	}
	ready := []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	deployment := func(component string) *appsv1.Deployment {
		return &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Labels: labels(component)}, Spec: appsv1.DeploymentSpec{Replicas: new(int32(1))},
			Status: appsv1.DeploymentStatus{ReadyReplicas: 1, UpdatedReplicas: 1, AvailableReplicas: 1, Replicas: 1}}
	}
	daemons := func() *appsv1.DaemonSet {
		return &appsv1.DaemonSet{Status: appsv1.DaemonSetStatus{DesiredNumberScheduled: 1, NumberReady: 1, NumberAvailable: 1, UpdatedNumberScheduled: 1, CurrentNumberScheduled: 1}}
	}
	seen := components.Observed{Namespace: "odi-system", Manager: deployment("manager"), Gateway: deployment("gateway"), Odiglet: daemons(), NodeCollector: daemons()}
	for _, component := range []string{"manager", "gateway", "node-collector", "odiglet"} {
		seen.Pods = append(seen.Pods, corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: component + "-x", Labels: labels(component)},
			Spec: corev1.PodSpec{NodeName: "a"}, Status: corev1.PodStatus{Conditions: ready}})
	}
	seen.Nodes = []odiv1.NodeInstrumentation{{ObjectMeta: metav1.ObjectMeta{Name: "a"}, Status: odiv1.NodeInstrumentationStatus{
		Features:   []odiv1.Feature{{Name: "SocketSpans", State: odiv1.FeatureActive}},
		Conditions: []metav1.Condition{condition("Ready", "True")}}}}
	return seen
}
