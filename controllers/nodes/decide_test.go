package nodes

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

func TestDecide(t *testing.T) {
	begin := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	good := &metav1.Condition{Type: odiv1.ConditionReady, Status: metav1.ConditionTrue, Message: "This node instruments processes."}
	doubted := &metav1.Condition{Type: odiv1.ConditionReady, Status: metav1.ConditionUnknown, Reason: odiv1.ReasonOdigletSilent}
	for name, tc := range map[string]struct {
		after     time.Duration
		ready     *metav1.Condition
		wantDoubt bool
		wantAgain time.Duration
	}{
		"it has just spoken":                  {after: 0, ready: good, wantAgain: 30 * time.Second},
		"two of its beats are missing":        {after: 29 * time.Second, ready: good, wantAgain: time.Second},
		"three are":                           {after: 30 * time.Second, ready: good, wantDoubt: true, wantAgain: 30 * time.Second},
		"a node that never reported":          {after: 30 * time.Second, wantDoubt: true, wantAgain: 30 * time.Second},
		"it is doubted already":               {after: time.Hour, ready: doubted, wantAgain: 30 * time.Second},
		"it spoke, and has not reported anew": {after: time.Second, ready: doubted, wantAgain: 29 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			got := decide(begin.Add(tc.after), sign{"x", begin}, tc.ready)
			if (got.doubt != nil) != tc.wantDoubt || got.again != tc.wantAgain {
				t.Fatalf("got %+v", got)
			}
			if got.doubt != nil && !strings.HasPrefix(got.doubt.Message, "The odiglet of this node is silent since 12:00:00 UTC;") {
				t.Errorf("it says %s", got.doubt.Message)
			}
		})
	}
}

func TestASignIsWhatChanges(t *testing.T) {
	begin := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	first := hear(sign{}, "a", begin)
	if again := hear(first, "a", begin.Add(time.Minute)); again != first {
		t.Errorf("the same Lease is no sign: %+v", again)
	}
	if next := hear(first, "b", begin.Add(time.Minute)); !next.seen.Equal(begin.Add(time.Minute)) {
		t.Errorf("a renewed one is: %+v", next)
	}
	if none := hear(sign{}, "", begin); !none.seen.Equal(begin) {
		t.Errorf("an odiglet without Lease gets the same time: %+v", none)
	}
}
