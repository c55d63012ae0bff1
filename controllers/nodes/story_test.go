package nodes

import (
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
	"github.com/odi-dev/odi/internal/testkit"
)

// TestAReportAgesWithItsOdiglet: an odiglet beats, dies, and comes back. Another node's goes on.
func TestAReportAgesWithItsOdiglet(t *testing.T) {
	restConfig := testkit.APIServer(t)
	c := testkit.Client(t, restConfig)
	testkit.Namespace(t, c, "odi-system")
	testkit.RunManager(t, restConfig, kube.Config{Namespace: "odi-system"}, Setup)
	dead, alive := newNode(t, c, "dead"), newNode(t, c, "alive")
	beats := time.Now()
	for range 5 {
		dead.beat(t, c)
		alive.beat(t, c)
		time.Sleep(time.Second)
	}
	dead.wants(t, c, metav1.ConditionTrue)

	last := time.Now()
	testkit.Eventually(t, believedFor+3*time.Second, "the report of the dead one is doubted", func() bool {
		if time.Since(beats) > beatPause {
			beats = time.Now()
			alive.beat(t, c)
		}
		return dead.ready(t, c).Status == metav1.ConditionUnknown
	})
	t.Logf("doubted %s after its last word", time.Since(last).Round(100*time.Millisecond))
	doubt := dead.ready(t, c)
	if since := doubt.LastTransitionTime.Time; since.Before(last.Add(-3*time.Second)) || since.After(last.Add(time.Second)) {
		t.Errorf("it says since %s, and spoke last at %s", since, last)
	}
	if !strings.Contains(doubt.Message, "is silent since") || !strings.HasSuffix(doubt.Message, "What it said last: It works.") {
		t.Errorf("it says: %s", doubt.Message)
	}
	alive.wants(t, c, metav1.ConditionTrue)

	dead.beat(t, c)
	dead.says(t, c)
	time.Sleep(2 * time.Second) // Nobody takes it back.
	dead.wants(t, c, metav1.ConditionTrue)
}

// beatPause is shorter than what is believed.
const beatPause = 5 * time.Second

// player is an odiglet of which only its words are.
type player struct {
	ni    *odiv1.NodeInstrumentation
	lease *coordinationv1.Lease
}

func newNode(t *testing.T, c client.Client, name string) player {
	t.Helper()
	p := player{
		ni: &odiv1.NodeInstrumentation{ObjectMeta: metav1.ObjectMeta{Name: name}},
		lease: &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{
			Namespace: "odi-system", Name: odiv1.OdigletLease(name), Labels: map[string]string{odiv1.LabelComponent: odiv1.ComponentOdiglet},
		}},
	}
	testkit.Create(t, c, p.ni, p.lease)
	p.says(t, c)
	return p
}

func (p player) beat(t *testing.T, c client.Client) {
	t.Helper()
	now := metav1.NowMicro()
	p.lease.Spec.RenewTime = &now
	if err := c.Update(t.Context(), p.lease); err != nil {
		t.Fatal(err)
	}
}

// says writes the report as an odiglet that works.
func (p player) says(t *testing.T, c client.Client) {
	t.Helper()
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(p.ni), p.ni); err != nil {
		t.Fatal(err)
	}
	p.ni.Status.Conditions = []metav1.Condition{{
		Type: odiv1.ConditionReady, Status: metav1.ConditionTrue, Reason: odiv1.ReasonReconcileSucceeded, Message: "It works.", LastTransitionTime: metav1.Now(),
	}}
	if err := c.Status().Update(t.Context(), p.ni); err != nil {
		t.Fatal(err)
	}
}

func (p player) ready(t *testing.T, c client.Client) metav1.Condition {
	t.Helper()
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(p.ni), p.ni); err != nil {
		t.Fatal(err)
	}
	return *meta.FindStatusCondition(p.ni.Status.Conditions, odiv1.ConditionReady)
}

func (p player) wants(t *testing.T, c client.Client, want metav1.ConditionStatus) {
	t.Helper()
	if got := p.ready(t, c); got.Status != want {
		t.Errorf("%s is %s: %s", p.ni.Name, got.Status, got.Message)
	}
}
