package remove

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

func TestMayBeSentTo(t *testing.T) {
	exporting := func(status metav1.ConditionStatus, reason string, generation int64) []metav1.Condition {
		return []metav1.Condition{{Type: "Exporting", Status: status, Reason: reason, ObservedGeneration: generation}}
	}
	tests := map[string]struct {
		conditions []metav1.Condition
		want       bool
	}{
		"nobody looked at it":                    {nil, false},
		"data flows":                             {exporting("True", odiv1.ReasonExporting, 2), true},
		"its backend is dead, and data waits":    {exporting("False", odiv1.ReasonExportFailing, 2), true},
		"switched off, and the gateway has it":   {exporting("Unknown", odiv1.ReasonGatewayNotReady, 2), true},
		"switched off":                           {exporting("False", odiv1.ReasonDisabled, 2), false},
		"switched off when it was another":       {exporting("False", odiv1.ReasonDisabled, 1), true},
		"refused, so that it never was anywhere": {exporting("False", odiv1.ReasonNotReady, 2), false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			d := &odiv1.Destination{ObjectMeta: metav1.ObjectMeta{Generation: 2}}
			d.Status.Conditions = tc.conditions
			if got := mayBeSentTo(d); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}
