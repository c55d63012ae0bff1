package describe

import (
	"bytes"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/output"
)

// TestNobodyIsSentInACircle: what describes a destination does not advise to describe it, and ends with 3 where it is broken.
func TestNobodyIsSentInACircle(t *testing.T) {
	ready := metav1.Condition{Type: odiv1.ConditionReady, Status: metav1.ConditionTrue, Reason: odiv1.ReasonAccepted}
	exporting := func(status metav1.ConditionStatus, reason string) metav1.Condition {
		return metav1.Condition{Type: odiv1.ConditionExporting, Status: status, Reason: reason, Message: "So it is."}
	}
	for name, tc := range map[string]struct {
		conditions []metav1.Condition
		disabled   bool
		code       int
		why        string
	}{
		"new":       {code: exit.OK, why: "the manager has not looked at it yet; to see the manager: odi status"},
		"refused":   {conditions: []metav1.Condition{{Type: odiv1.ConditionReady, Status: metav1.ConditionFalse, Reason: odiv1.ReasonInvalidConfig, Message: "endpoint: no."}}, code: exit.Problem, why: "is not ready (InvalidConfig): endpoint: no."},
		"failing":   {conditions: []metav1.Condition{ready, exporting(metav1.ConditionFalse, odiv1.ReasonExportFailing)}, code: exit.Problem, why: "does not take the data (0 sent, 0 failed, 0 queued): So it is; check that its backend runs"},
		"taking it": {conditions: []metav1.Condition{ready, exporting(metav1.ConditionTrue, odiv1.ReasonExporting)}, code: exit.OK, why: "Not because of this destination"},
		"disabled":  {disabled: true, code: exit.OK, why: "is disabled; to enable it: kubectl -n odi-system patch destination jaeger"},
	} {
		t.Run(name, func(t *testing.T) {
			d := &odiv1.Destination{ObjectMeta: metav1.ObjectMeta{Namespace: "odi-system", Name: "jaeger"}, Spec: odiv1.DestinationSpec{Type: "jaeger", Disabled: tc.disabled}}
			d.Status.Conditions = tc.conditions
			var out bytes.Buffer
			err := printDestination(output.Page{Writer: &out}, d)
			if exit.Code(err) != tc.code {
				t.Errorf("ends with %d, want %d", exit.Code(err), tc.code)
			}
			if text := out.String(); !strings.Contains(text, tc.why) || strings.Contains(text, "odi describe destination/") {
				t.Errorf("got\n%s\nwant %q, and no advice to do this again", text, tc.why)
			}
		})
	}
}
