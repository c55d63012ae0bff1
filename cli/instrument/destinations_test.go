package instrument

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

func TestTaken(t *testing.T) {
	condition := func(kind, reason string, generation int64) metav1.Condition {
		return metav1.Condition{Type: kind, Reason: reason, ObservedGeneration: generation}
	}
	tests := map[string]struct {
		conditions []metav1.Condition
		want       bool
	}{
		"nobody looked at it yet": {nil, false},
		"judged, and on its way to the gateway": {[]metav1.Condition{
			condition("Ready", "Accepted", 2), condition("Exporting", odiv1.ReasonGatewayNotReady, 2),
		}, false},
		"judged as it was before": {[]metav1.Condition{
			condition("Ready", "Accepted", 1), condition("Exporting", odiv1.ReasonExporting, 1),
		}, false},
		"in the gateway, whose backend is silent": {[]metav1.Condition{
			condition("Ready", "Accepted", 2), condition("Exporting", odiv1.ReasonBackendNotReached, 2),
		}, true},
		"refused: waiting would not help": {[]metav1.Condition{
			condition("Ready", "InvalidConfig", 2), condition("Exporting", "NotReady", 2),
		}, true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			d := &odiv1.Destination{ObjectMeta: metav1.ObjectMeta{Generation: 2}}
			d.Status.Conditions = tc.conditions
			if got := taken(d); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}
