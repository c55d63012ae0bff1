package cli_test

import (
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/odi-dev/odi/internal/testkit"
)

// TestASilentManagerIsSaid: its pod looks well, its node is gone; what it wrote before is no news.
func TestASilentManagerIsSaid(t *testing.T) {
	restConfig := testkit.APIServer(t)
	c := testkit.Client(t, restConfig)
	t.Setenv("KUBECONFIG", kubeconfig(t, restConfig, ""))
	u := user{t}
	testkit.Namespace(t, c, "odi-system")
	testkit.Namespace(t, c, "shop")
	manager := deployment("odi-system", "odi-manager")
	testkit.Create(t, c, manager, deployment("shop", "cart"))
	manager.Status.Replicas, manager.Status.ReadyReplicas, manager.Status.UpdatedReplicas = 1, 1, 1
	manager.Status.ObservedGeneration = manager.Generation
	if err := c.Status().Update(t.Context(), manager); err != nil {
		t.Fatal(err)
	}
	u.sees("describe deployment/cart -n shop", 3, "No InstrumentationConfig selects it")

	then := metav1.NewMicroTime(time.Now().Add(-time.Minute))
	lease := &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: "odi-system", Name: "odi-manager"},
		Spec:       coordinationv1.LeaseSpec{RenewTime: &then},
	}
	testkit.Create(t, c, lease)
	since := then.UTC().Format("15:04:05 MST")
	u.sees("describe deployment/cart -n shop", 3, "The manager does not work: 1 of 1 ready, silent since "+since)
	u.sees("status", 3, "manager.*silent since "+since)

	// A manager whose clock is behind this machine's is at work.
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			behind := metav1.NewMicroTime(time.Now().Add(-time.Hour))
			lease.Spec.RenewTime = &behind
			_ = c.Update(t.Context(), lease) // The command below tells.
			select {
			case <-stop:
				return
			case <-time.After(time.Second):
			}
		}
	}()
	u.sees("describe deployment/cart -n shop", 3, "No InstrumentationConfig selects it")
	close(stop)
	<-done
}
