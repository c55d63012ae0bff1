package kube

import "testing"

// TestReconcilesEnd: an API server that says nothing holds up a reconcile, and with it all of its
// controller's objects, only so long.
func TestReconcilesEnd(t *testing.T) {
	if got := controllers(ManagerOptions{}).ReconciliationTimeout; got <= 0 {
		t.Error("a reconcile may last for ever")
	}
}
