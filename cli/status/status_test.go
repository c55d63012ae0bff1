package status

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/components"
	"github.com/odi-dev/odi/cli/output"
	"github.com/odi-dev/odi/internal/nodeapi"
)

var update = flag.Bool("update", false, "write the golden files")

func condition(kind string, status metav1.ConditionStatus, reason, message string) metav1.Condition {
	return metav1.Condition{Type: kind, Status: status, Reason: reason, Message: message}
}

func deployment() *appsv1.Deployment {
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app.kubernetes.io/version": "0.1.0"}},
		Status:     appsv1.DeploymentStatus{Replicas: 1, UpdatedReplicas: 1, ReadyReplicas: 1},
	}
}

func node(features ...odiv1.Feature) odiv1.NodeInstrumentation {
	return odiv1.NodeInstrumentation{
		ObjectMeta: metav1.ObjectMeta{Name: "n1"},
		Status: odiv1.NodeInstrumentationStatus{Kernel: "6.12.9", OdigletVersion: "0.1.0", Attached: 3, Features: features,
			Conditions: []metav1.Condition{condition(odiv1.ConditionReady, "True", "Succeeded", "")}},
	}
}

func healthy() components.Observed {
	return components.Observed{
		Namespace: "odi-system", Manager: deployment(), Gateway: deployment(),
		Odiglet:       &appsv1.DaemonSet{Status: appsv1.DaemonSetStatus{DesiredNumberScheduled: 1, UpdatedNumberScheduled: 1}},
		NodeCollector: &appsv1.DaemonSet{Status: appsv1.DaemonSetStatus{DesiredNumberScheduled: 1, NumberReady: 1, UpdatedNumberScheduled: 1}},
		Pods: []corev1.Pod{{
			ObjectMeta: metav1.ObjectMeta{Name: "odiglet-1", Labels: map[string]string{odiv1.LabelComponent: "odiglet"}},
			Spec:       corev1.PodSpec{NodeName: "n1"},
			Status:     corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: "True"}}},
		}},
		Nodes: []odiv1.NodeInstrumentation{node(odiv1.Feature{Name: "SocketSpans", State: odiv1.FeatureActive})},
	}
}

func instrumented(name string, method odiv1.Method, seen metav1.Condition) odiv1.InstrumentedWorkload {
	return odiv1.InstrumentedWorkload{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "deployment-" + name},
		Spec: odiv1.InstrumentedWorkloadSpec{
			Workload:   odiv1.WorkloadReference{Kind: odiv1.KindDeployment, Name: name},
			Containers: []odiv1.ContainerDecision{{Name: "main", Method: method, Reason: odiv1.ReasonMethodNone, Message: "It is so."}},
		},
		Status: odiv1.InstrumentedWorkloadStatus{Conditions: []metav1.Condition{seen}},
	}
}

func config(name string, ready metav1.Condition) odiv1.InstrumentationConfig {
	return odiv1.InstrumentationConfig{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name},
		Status:     odiv1.InstrumentationConfigStatus{Conditions: []metav1.Condition{ready}},
	}
}

func destination(exporting metav1.Condition) odiv1.Destination {
	return odiv1.Destination{
		ObjectMeta: metav1.ObjectMeta{Namespace: "odi-system", Name: "jaeger"},
		Spec:       odiv1.DestinationSpec{Type: "jaeger"},
		Status: odiv1.DestinationStatus{Sent: 120, Failed: 3, Queued: 7,
			Conditions: []metav1.Condition{condition(odiv1.ConditionReady, "True", odiv1.ReasonAccepted, ""), exporting}},
	}
}

func switchedOff(exporting metav1.Condition) odiv1.Destination {
	d := destination(exporting)
	d.Spec.Disabled = true
	return d
}

func TestReport(t *testing.T) {
	attached := condition(odiv1.ConditionInstrumented, "True", odiv1.ReasonAttached, "1 pod of 1 produce telemetry.")
	works := condition(odiv1.ConditionExporting, "True", odiv1.ReasonExporting, "The backend takes the data.")
	troubled := healthy()
	troubled.Gateway, troubled.NodeCollector = nil, nil
	troubled.Nodes = []odiv1.NodeInstrumentation{node(
		odiv1.Feature{Name: "SocketSpans", State: odiv1.FeatureActive},
		odiv1.Feature{Name: "Propagation", State: odiv1.FeatureUnavailable, Reason: "The kernel has no sockmap."})}
	tests := map[string]struct {
		golden string
		seen   Seen
	}{
		"everything works": {"healthy.txt", Seen{
			Components:   healthy(),
			Workloads:    []odiv1.InstrumentedWorkload{instrumented("cart", odiv1.MethodEBPF, attached)},
			Destinations: []odiv1.Destination{destination(works)},
			Live:         map[string]nodeapi.Node{"n1": {Books: nodeapi.Books{Seen: 130, Sent: 120, Queued: 4, Dropped: map[string]uint64{"health_check": 6}}}},
		}},
		"a new installation": {"new.txt", Seen{Components: healthy()}},
		"every kind of problem": {"troubled.txt", Seen{
			Components: troubled,
			Configs: []odiv1.InstrumentationConfig{
				config("cart", condition(odiv1.ConditionReady, "True", odiv1.ReasonSelected, "Selected 1 workload.")),
				config("gone", condition(odiv1.ConditionReady, "False", odiv1.ReasonWorkloadNotFound, "There is no Deployment gone in namespace shop yet; it will be instrumented when it appears.")),
			},
			Workloads: []odiv1.InstrumentedWorkload{
				instrumented("cart", odiv1.MethodEBPF, attached),
				instrumented("pay", odiv1.MethodEBPF, condition(odiv1.ConditionInstrumented, "False", odiv1.ReasonAttachFailed, "Container main: no such process.")),
				instrumented("old", odiv1.MethodNone, condition(odiv1.ConditionInstrumented, "False", odiv1.ReasonMethodNone, "Off.")),
				instrumented("slow", odiv1.MethodEBPF, condition(odiv1.ConditionInstrumented, "False", odiv1.ReasonAttaching, "0 pods of 1 produce telemetry so far.")),
			},
			Destinations: []odiv1.Destination{destination(condition(odiv1.ConditionExporting, "False", odiv1.ReasonExportFailing, "connection\nrefused"))},
			Live: map[string]nodeapi.Node{"n1": {ExportError: "collector is away",
				Books: nodeapi.Books{Seen: 20, Sent: 9, Queued: 1, Dropped: map[string]uint64{"queue_full": 3, "unparsable": 1, "health_check": 6},
					Whose: map[string]map[string]uint64{"unparsable": {"cart": 1}}}}},
		}},
		"data whose only destination is switched off": {"off.txt", Seen{
			Components: healthy(), Workloads: []odiv1.InstrumentedWorkload{instrumented("cart", odiv1.MethodEBPF, attached)},
			Destinations: []odiv1.Destination{switchedOff(works)}, Only: "shop",
		}},
		"data without a destination": {"orphans.txt", Seen{
			Components: healthy(), Workloads: []odiv1.InstrumentedWorkload{instrumented("cart", odiv1.MethodEBPF, attached)},
		}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			if err := Judge(tc.seen).print(output.Page{Writer: &got}, output.FormatTable); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", tc.golden)
			if *update {
				if err := os.WriteFile(path, got.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("report (-want +got); -update writes it:\n%s", diff)
			}
		})
	}
}
