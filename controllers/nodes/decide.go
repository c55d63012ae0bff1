package nodes

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// believedFor is how long an odiglet is taken at its last word: three of its beats.
const believedFor = 30 * time.Second

// sign is the latest sign of life of one odiglet. Clocks of nodes differ: what counts is when the manager saw it.
type sign struct {
	renewed string
	seen    time.Time
}

// hear is the sign after a look at the Lease, which says when it was renewed.
func hear(before sign, renewed string, now time.Time) sign {
	if before.seen.IsZero() || before.renewed != renewed {
		return sign{renewed, now}
	}
	return before
}

// step is what is to be done about a report.
type step struct {
	// doubt is what the condition is to say; nil while the odiglet is believed or was doubted before.
	doubt *metav1.Condition
	// again is when to look again.
	again time.Duration
}

// decide says whether the report of a node is still believed.
func decide(now time.Time, last sign, ready *metav1.Condition) step {
	if age := now.Sub(last.seen); age < believedFor {
		return step{again: believedFor - age}
	}
	if ready != nil && ready.Reason == odiv1.ReasonOdigletSilent {
		return step{again: believedFor}
	}
	said := ""
	if ready != nil {
		said = " What it said last: " + ready.Message
	}
	return step{again: believedFor, doubt: &metav1.Condition{
		Type: odiv1.ConditionReady, Status: metav1.ConditionUnknown, Reason: odiv1.ReasonOdigletSilent,
		// The time is that of its last sign, not that of the doubt.
		LastTransitionTime: metav1.NewTime(last.seen),
		Message: fmt.Sprintf("The odiglet of this node is silent since %s; nothing is known of its processes.%s",
			last.seen.UTC().Format("15:04:05 MST"), said),
	}}
}
