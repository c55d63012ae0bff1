package kube

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/cache/informertest"
)

// TestReconcilesEnd: an API server that says nothing holds up a reconcile, and with it all of its
// controller's objects, only so long.
func TestReconcilesEnd(t *testing.T) {
	if got := controllers(ManagerOptions{}).ReconciliationTimeout; got <= 0 {
		t.Error("a reconcile may last for ever")
	}
}

func TestAManagerWithoutItsCachesIsNotReady(t *testing.T) {
	for _, synced := range []bool{true, false} {
		check := cachesAreFilled(&informertest.FakeInformers{Synced: &synced})
		err := check(httptest.NewRequest(http.MethodGet, "/readyz", nil))
		if (err == nil) != synced {
			t.Errorf("read: %v, ready: %v", synced, err)
		}
	}
}
