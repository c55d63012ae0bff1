package trial

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/answer"
)

func TestWhyNothingIsSent(t *testing.T) {
	ready := func(status metav1.ConditionStatus, generation int64) *odiv1.Destination {
		d := &odiv1.Destination{ObjectMeta: metav1.ObjectMeta{Generation: 2}}
		d.Status.Conditions = []metav1.Condition{{Type: odiv1.ConditionReady, Status: status, Message: "There is no Secret k.", ObservedGeneration: generation}}
		return d
	}
	off := ready(metav1.ConditionTrue, 2)
	off.Spec.Disabled = true
	tests := map[string]struct {
		d    *odiv1.Destination
		want string
	}{
		"ready":                        {ready(metav1.ConditionTrue, 2), ""},
		"kept as it was":               {ready(metav1.ConditionUnknown, 2), ""},
		"switched off":                 {off, "it is switched off by spec.disabled"},
		"not ready":                    {ready(metav1.ConditionFalse, 2), "it is not Ready: There is no Secret k."},
		"not judged since its change":  {ready(metav1.ConditionTrue, 1), "the manager has not looked at it yet; to see why: odi status"},
		"not judged since it was made": {&odiv1.Destination{}, "the manager has not looked at it yet; to see why: odi status"},
	}
	for name, tc := range tests {
		if got := unready(tc.d); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

func TestWhatTheCollectorComplainsOf(t *testing.T) {
	for problems, want := range map[string]string{
		"Error: unknown command \"ask\" for \"odi-collector\"\nRun ...":                    errOld.Error(),
		"Error: failed to get config: the configuration has no such destination: shop/a\n": errNotThere.Error(),
		"Error: failed to build pipelines: no such thing\n":                                "the collector in the gateway's pod: failed to build pipelines: no such thing",
		"": "the collector in the gateway's pod ended without a word",
	} {
		if got := complaint(problems).Error(); got != want {
			t.Errorf("%q: %q, want %q", problems, got, want)
		}
	}
}

// TestTheGatewaysOwnConfigurationIsAsked: what the container runs says where it is.
func TestTheGatewaysOwnConfigurationIsAsked(t *testing.T) {
	g := gateway{pod: corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{
		{Name: "sidecar", Command: []string{"/bin/x"}},
		{Name: "collector", Command: []string{"/usr/bin/odi-collector"}, Args: []string{"--config=live:/etc/odi-collector/config.yaml"}},
	}}}}
	want := "/usr/bin/odi-collector ask --config=live:/etc/odi-collector/config.yaml --destination=shop/a"
	if got := strings.Join(g.command("shop/a"), " "); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestNoWordOfABackendIsInTheCondition: more people read it than may ask.
func TestNoWordOfABackendIsInTheCondition(t *testing.T) {
	r := Result{Generation: 4, At: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC), Signals: []answer.Finding{
		{Signal: odiv1.SignalTraces, Accepted: true, Words: "hunter2"},
		{Signal: odiv1.SignalLogs, Step: answer.StepHTTP, Cause: "it refuses the credentials (401)", Words: "hunter2", Hint: "hunter2"},
	}}
	got := r.condition()
	want := metav1.Condition{
		Type: "Tested", Status: metav1.ConditionFalse, Reason: "TestRefused", ObservedGeneration: 4,
		Message: "At 2026-01-01 12:00:00 UTC, one of each was sent: traces: accepted; logs: HTTP: it refuses the credentials (401).",
	}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if r.Accepted() || (Result{}).Accepted() || (Result{Signals: r.Signals[:1], Problem: "x"}).Accepted() || !(Result{Signals: r.Signals[:1]}).Accepted() {
		t.Error("what was accepted is what all signals were")
	}
}
