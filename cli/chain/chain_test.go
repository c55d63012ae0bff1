package chain

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/workload"
)

func condition3(kind string, status metav1.ConditionStatus, reason, message string) metav1.Condition {
	return metav1.Condition{Type: kind, Status: status, Reason: reason, Message: message}
}

var (
	isSelected = condition3(odiv1.ConditionSelected, metav1.ConditionTrue, odiv1.ReasonSelected, "InstrumentationConfig namespace selects every workload of the namespace.")
	isDetected = condition3(odiv1.ConditionRuntimeDetected, metav1.ConditionTrue, odiv1.ReasonRuntimeDetected, "cart: go 1.26.8 (static).")
	isAttached = condition3(odiv1.ConditionInstrumented, metav1.ConditionTrue, odiv1.ReasonAttached, "2 pods of 2 produce telemetry.")
	byEBPF     = odiv1.ContainerDecision{Name: "cart", Method: odiv1.MethodEBPF, Reason: odiv1.ReasonMethodEBPF, Message: "eBPF probes attach."}
)

// notAttached is the cart's workload at the step before the data.
func notAttached(reason, message string) *odiv1.InstrumentedWorkload {
	return cart([]odiv1.ContainerDecision{byEBPF}, isSelected, isDetected,
		condition3(odiv1.ConditionInstrumented, metav1.ConditionFalse, reason, message))
}

func cart(decisions []odiv1.ContainerDecision, conditions ...metav1.Condition) *odiv1.InstrumentedWorkload {
	return &odiv1.InstrumentedWorkload{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "deployment-cart"},
		Spec: odiv1.InstrumentedWorkloadSpec{
			Workload: odiv1.WorkloadReference{Kind: odiv1.KindDeployment, Name: "cart"}, Config: "namespace", Containers: decisions,
		},
		Status: odiv1.InstrumentedWorkloadStatus{Conditions: conditions},
	}
}

func attachedCart() *odiv1.InstrumentedWorkload {
	return cart([]odiv1.ContainerDecision{byEBPF}, isSelected, isDetected, isAttached)
}

func backend(namespace string, conditions ...metav1.Condition) odiv1.Destination {
	return odiv1.Destination{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "jaeger"},
		Status:     odiv1.DestinationStatus{Sent: 10, Failed: 1, Queued: 2, Conditions: conditions},
	}
}

func wish(name string, method odiv1.Method, target odiv1.Target, conditions ...metav1.Condition) odiv1.InstrumentationConfig {
	return odiv1.InstrumentationConfig{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name},
		Spec:       odiv1.InstrumentationConfigSpec{Method: method, Target: target},
		Status:     odiv1.InstrumentationConfigStatus{Conditions: conditions},
	}
}

func TestLack(t *testing.T) {
	of := func(kind, namespace string, signals ...odiv1.Signal) odiv1.Destination {
		d := backend(namespace)
		d.Spec.Type, d.Spec.Signals = kind, signals
		return d
	}
	jaeger, otlp := of("jaeger", "odi-system"), of("otlp", "odi-system")
	for name, tc := range map[string]struct {
		all  []odiv1.Destination
		want string
	}{
		"nothing is there":        {nil, "No destination yet: say where the data goes with: odi destination add <type>"},
		"another namespace's":     {[]odiv1.Destination{of("otlp", "other")}, "No destination receives the data of shop; to add one: odi destination add <type>"},
		"switched off":            {[]odiv1.Destination{off(otlp)}, `The data of shop goes nowhere: destination odi-system/jaeger is disabled; to enable it: kubectl -n odi-system patch destination jaeger --type merge -p '{"spec":{"disabled":false}}'`},
		"one of two switched off": {[]odiv1.Destination{off(otlp), otlp}, ""},
		"traces alone":            {[]odiv1.Destination{jaeger}, "No destination takes the metrics of shop; to see which types do: odi destination types metrics"},
		"metrics alone":           {[]odiv1.Destination{of("otlp", "shop", odiv1.SignalMetrics)}, "No destination takes the traces of shop; to see which types do: odi destination types traces"},
		"each to its own":         {[]odiv1.Destination{jaeger, of("otlp", "shop", odiv1.SignalMetrics)}, ""},
		"all of it":               {[]odiv1.Destination{otlp}, ""},
		"of a newer odi":          {[]odiv1.Destination{of("tomorrow", "odi-system")}, ""},
	} {
		if got := Lack("shop", "odi-system", tc.all); got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}

func TestWhyIsThereNoTrace(t *testing.T) {
	ready := condition3(odiv1.ConditionReady, metav1.ConditionTrue, odiv1.ReasonAccepted, "")
	taking := backend("odi-system", ready, condition3(odiv1.ConditionExporting, metav1.ConditionTrue, odiv1.ReasonAccepted, ""))
	tests := map[string]struct {
		in        Input
		wantStep  string
		wantState State
		wantWhy   string
	}{
		"the manager is down": {
			in:       Input{ManagerProblem: "0 of 1 ready", ManagerShow: "kubectl describe", Object: attachedCart()},
			wantStep: "Selected", wantState: Broken,
			wantWhy: "The manager does not work: 0 of 1 ready; to see more: kubectl describe",
		},
		"nothing selects it": {
			wantStep: "Selected", wantState: Broken,
			wantWhy: "No InstrumentationConfig selects it; to select it: odi instrument deployment/cart -n shop",
		},
		"its config is new": {
			in:       Input{Configs: []odiv1.InstrumentationConfig{wish("namespace", odiv1.MethodAuto, odiv1.Target{})}},
			wantStep: "Selected", wantState: Waiting,
			wantWhy: "InstrumentationConfig namespace selects it, and the manager has not taken it up yet; wait a few seconds and look again",
		},
		"its config is refused": {
			in: Input{Configs: []odiv1.InstrumentationConfig{wish("mine", odiv1.MethodAuto, odiv1.Target{Kind: odiv1.KindDeployment, Name: "cart"},
				condition3(odiv1.ConditionReady, metav1.ConditionFalse, odiv1.ReasonInvalidConfig, "spec.target.selector: no such operator."))}},
			wantStep: "Selected", wantState: Broken,
			wantWhy: "InstrumentationConfig mine is not ready (InvalidConfig): spec.target.selector: no such operator; to see it: kubectl -n shop get ic mine -o yaml",
		},
		"another's config does not count, and one that says None neither": {
			in: Input{Configs: []odiv1.InstrumentationConfig{wish("pay", odiv1.MethodAuto, odiv1.Target{Kind: odiv1.KindDeployment, Name: "pay"}),
				wish("namespace", odiv1.MethodNone, odiv1.Target{})}},
			wantStep: "Selected", wantState: Broken,
			wantWhy: "No InstrumentationConfig selects it; to select it: odi instrument deployment/cart -n shop",
		},
		"the administrator has excluded it": {
			in:       Input{Never: "odi never instruments the namespace shop; the administrator has excluded it"},
			wantStep: "Selected", wantState: Off,
			wantWhy: "odi never instruments the namespace shop; the administrator has excluded it.",
		},
		"somebody's config insists on None": {
			in: Input{
				Object: cart([]odiv1.ContainerDecision{{Name: "cart", Method: odiv1.MethodNone, Reason: odiv1.ReasonMethodNone, Message: "Off."}}, isSelected, isDetected),
				// The older of two that name a workload wins: what odi instrument writes would be the younger.
				Configs: []odiv1.InstrumentationConfig{wish("namespace", odiv1.MethodNone, odiv1.Target{Kind: odiv1.KindDeployment, Name: "cart"})},
			},
			wantStep: "Decided", wantState: Off,
			wantWhy: "cart: None - Off; to switch it on, change that config: kubectl -n shop edit ic namespace",
		},
		"what it encrypts is not read": {
			in:       Input{Object: encrypting("java", odiv1.TLSFact{UnreadSince: new(metav1.NewTime(time.Date(2026, 11, 27, 9, 3, 7, 0, time.UTC)))}, ""), Destinations: []odiv1.Destination{taking}},
			wantStep: "Exporting", wantState: Done,
			wantWhy: "Every other step works: requests that are not encrypted are traces. cart: since 2026-11-27 09:03:07 UTC it encrypts (TLS) by a library that odi does not read: " +
				"such requests give no spans, only metrics of their handshakes; an agent in the process sees them: odi instrument deployment cart -n shop --method agent",
		},
		"... and there is no agent for it": {
			in:       Input{Object: encrypting("rust", odiv1.TLSFact{UnreadSince: new(metav1.NewTime(time.Date(2026, 11, 27, 9, 3, 7, 0, time.UTC)))}, ""), Destinations: []odiv1.Destination{taking}},
			wantStep: "Exporting", wantState: Done,
			wantWhy: "Every other step works: requests that are not encrypted are traces. cart: since 2026-11-27 09:03:07 UTC it encrypts (TLS) by a library that odi does not read: " +
				"such requests give no spans, only metrics of their handshakes; only OpenTelemetry's SDK in the program sees these requests",
		},
		"... but an agent sees it": {
			in:       Input{Object: encrypting("java", odiv1.TLSFact{UnreadSince: new(metav1.Now())}, odiv1.AgentAlive), Destinations: []odiv1.Destination{taking}},
			wantStep: "Exporting", wantState: Done, wantWhy: "Every step works: each request that it handles from now on is a trace.",
		},
		"what it encrypts is read": {
			in:       Input{Object: encrypting("python", odiv1.TLSFact{ReadBy: "OpenSSL"}, ""), Destinations: []odiv1.Destination{taking}},
			wantStep: "Exporting", wantState: Done, wantWhy: "Every step works: each request that it handles from now on is a trace.",
		},
		"it is in kube-system": {
			in:       Input{Never: "odi never instruments the namespace kube-system", Workload: workload.Reference{Namespace: "kube-system", Kind: odiv1.KindDeployment, Name: "cart"}},
			wantStep: "Selected", wantState: Off,
			wantWhy: "odi never instruments the namespace kube-system.",
		},
		"no decision yet, and the unknown language does not matter": {
			in:       Input{Object: cart(nil, isSelected)},
			wantStep: "Decided", wantState: Waiting,
			wantWhy: "The manager has not decided yet; wait a few seconds and look again",
		},
		"the user said no": {
			in: Input{Object: cart([]odiv1.ContainerDecision{{Name: "cart", Method: odiv1.MethodNone, Reason: odiv1.ReasonMethodNone,
				Message: "InstrumentationConfig off switches this workload off (spec.method)."}}, isSelected, isDetected)},
			wantStep: "Decided", wantState: Off,
			wantWhy: "cart: None - InstrumentationConfig off switches this workload off (spec.method); to switch it on: odi instrument deployment/cart -n shop",
		},
		"another vendor's agent is in the process": {
			in: Input{Object: cart([]odiv1.ContainerDecision{{Name: "cart", Method: odiv1.MethodNone, Reason: odiv1.ReasonOtherAgentPresent,
				Message: "Datadog already instruments this container."}}, isSelected, isDetected)},
			wantStep: "Decided", wantState: Off,
			wantWhy: "cart: None - Datadog already instruments this container; to instrument it all the same: odi instrument deployment/cart -n shop --method eBPF",
		},
		"no pod runs": {
			in:       Input{Object: notAttached(odiv1.ReasonNoPods, "The workload is scaled to zero.")},
			wantStep: "Attached", wantState: Waiting,
			wantWhy: "The workload is scaled to zero.",
		},
		"no odiglet has seen a pod": {
			in:       Input{Object: notAttached(odiv1.ReasonWaitingForNode, "No odiglet has seen a running pod of this workload yet.")},
			wantStep: "Attached", wantState: Waiting,
			wantWhy: "No odiglet has seen a running pod of this workload yet; to see whether its pods run: kubectl -n shop get pods",
		},
		"the kernel lacks what is needed": {
			in:       Input{Object: notAttached(odiv1.ReasonFeatureUnavailable, "Node n1 has no BTF.")},
			wantStep: "Attached", wantState: Broken,
			wantWhy: "Node n1 has no BTF; to see what a node can do: odi describe node/<name>",
		},
		"the odiglet is silent": {
			in: Input{Object: cart([]odiv1.ContainerDecision{byEBPF}, isSelected, isDetected, condition3(odiv1.ConditionInstrumented,
				metav1.ConditionUnknown, odiv1.ReasonOdigletSilent, "Whether 2 pods produce telemetry is not known: the odiglet of node n1 is silent since 12:00:00 UTC."))},
			wantStep: "Attached", wantState: Broken,
			wantWhy: "Whether 2 pods produce telemetry is not known: the odiglet of node n1 is silent since 12:00:00 UTC; to see the odiglets: odi status",
		},
		"somebody may not see odi's destinations": {
			in:       Input{Object: attachedCart(), OdiNamespace: "odi-system", Hidden: true},
			wantStep: "Exporting", wantState: Waiting,
			wantWhy: "No destination of its namespace receives its data; which of the namespace odi-system do, you may not see.",
		},
		"there is no destination": {
			in:       Input{Object: attachedCart()},
			wantStep: "Exporting", wantState: Broken,
			wantWhy: "No destination receives its data; to add one: odi destination add <type>",
		},
		"the only destination is switched off": {
			in:       Input{Object: attachedCart(), OdiNamespace: "odi-system", Destinations: []odiv1.Destination{off(backend("odi-system", ready))}},
			wantStep: "Exporting", wantState: Off,
			wantWhy: "destination odi-system/jaeger is disabled; to enable it: kubectl -n odi-system patch destination jaeger --type merge -p '{\"spec\":{\"disabled\":false}}'",
		},
		"another tenant's destination does not count": {
			in:       Input{Object: attachedCart(), Destinations: []odiv1.Destination{backend("payments", ready)}},
			wantStep: "Exporting", wantState: Broken,
			wantWhy: "No destination receives its data; to add one: odi destination add <type>",
		},
		"the destination is invalid": {
			in: Input{Object: attachedCart(), Destinations: []odiv1.Destination{
				backend("odi-system", condition3(odiv1.ConditionReady, metav1.ConditionFalse, odiv1.ReasonSecretMissing, "There is no Secret k."))}},
			wantStep: "Exporting", wantState: Broken,
			wantWhy: "destination odi-system/jaeger is not ready (SecretMissing): There is no Secret k; to see all of it: odi describe destination/jaeger -n odi-system",
		},
		"the backend is away": {
			in: Input{Object: attachedCart(), Destinations: []odiv1.Destination{
				backend("odi-system", ready, condition3(odiv1.ConditionExporting, metav1.ConditionFalse, odiv1.ReasonExportFailing, "connection refused"))}},
			wantStep: "Exporting", wantState: Broken,
			wantWhy: "destination odi-system/jaeger does not take the data (10 sent, 1 failed, 2 queued): connection refused; " +
				"check that its backend runs and that its address is right; what is queued is sent when it is back; " +
				"to see what it says: odi destination test jaeger -n odi-system",
		},
		"one of two destinations is enough": {
			in: Input{Object: attachedCart(), Destinations: []odiv1.Destination{
				backend("odi-system", ready, condition3(odiv1.ConditionExporting, metav1.ConditionFalse, odiv1.ReasonExportFailing, "connection refused")),
				backend("shop", ready, condition3(odiv1.ConditionExporting, metav1.ConditionTrue, odiv1.ReasonExporting, "It does."))}},
			wantStep: "Exporting", wantState: Done,
			wantWhy: "Every step works: each request that it handles from now on is a trace.",
		},
		"no data has come yet": {
			in: Input{Object: attachedCart(), Destinations: []odiv1.Destination{
				backend("odi-system", ready, condition3(odiv1.ConditionExporting, metav1.ConditionUnknown, odiv1.ReasonNoData, ""))}},
			wantStep: "Exporting", wantState: Done,
			wantWhy: "Every step works: each request that it handles from now on is a trace.",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if tc.in.Workload.Name == "" {
				tc.in.Workload = workload.Reference{Namespace: "shop", Kind: odiv1.KindDeployment, Name: "cart"}
			}
			tc.in.OdiNamespace = "odi-system"
			steps := Follow(tc.in)
			last := steps[len(steps)-1]
			if last.Name != tc.wantStep || last.State != tc.wantState {
				t.Errorf("stops at %s (%s), want %s (%s)", last.Name, last.State, tc.wantStep, tc.wantState)
			}
			if diff := cmp.Diff(tc.wantWhy, Why(steps)); diff != "" {
				t.Errorf("why (-want +got):\n%s", diff)
			}
		})
	}
}

// encrypting is a workload of which something is known about what it encrypts.
func encrypting(language string, fact odiv1.TLSFact, agent odiv1.AgentState) *odiv1.InstrumentedWorkload {
	iw := attachedCart()
	iw.Status.Containers = []odiv1.ContainerStatus{{Name: "cart", Runtime: odiv1.Runtime{Language: language}, TLS: fact, Agent: odiv1.AgentFact{State: agent}}}
	return iw
}

func off(d odiv1.Destination) odiv1.Destination {
	d.Spec.Disabled = true
	return d
}
