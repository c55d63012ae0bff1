//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/odi-dev/odi/hack/cluster/controlplane"
	"github.com/odi-dev/odi/test/rights"
)

// checkRights compares what odi's accounts asked for since they were installed
// with what docs/security.md says that they need. It comes last of the story.
func (w *world) checkRights(t *testing.T) {
	if w.foreign {
		t.Skip("needs the API server's audit log, which only the local cluster has")
	}
	log, err := os.Open(controlplane.AuditLog(filepath.Join(filepath.Dir(w.cluster.Kubeconfig), "control-plane")))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	requests, err := rights.OfAudit(log, map[string]string{
		"system:serviceaccount:odi-system:odi-manager": "manager", "system:serviceaccount:odi-system:odiglet": "odiglet",
		"system:serviceaccount:odi-system:odi-gateway": "gateway", "system:serviceaccount:odi-system:odi-node-collector": "node collector",
	})
	if err != nil {
		t.Fatal(err)
	}
	table, err := os.ReadFile(filepath.Join(w.root, "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := rights.OfTable(string(table))
	if err != nil || len(rows) == 0 {
		t.Fatalf("no rights in docs/security.md (%v)", err)
	}
	for _, row := range rows {
		for _, right := range row.Rights {
			if row.Case == "" && !used(requests, right) {
				t.Errorf("nobody needed it: %s", right)
			}
		}
	}
	for _, r := range requests {
		if r.Account != "manager" && r.Account != "odiglet" {
			t.Errorf("the %s has no business with the API server: %+v", r.Account, r)
		}
		if r.Refused {
			t.Errorf("the API server refused it: %+v", r)
		}
	}
	t.Logf("%d different requests", len(requests))
}

func used(requests []rights.Request, right rights.Right) bool {
	for _, r := range requests {
		if r.Uses(right) && !r.Refused {
			return true
		}
	}
	return false
}
