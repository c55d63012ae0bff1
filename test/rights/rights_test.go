package rights

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// switchable are rights that the chart gives beside the roles, unless a value takes them away.
var switchable = []Right{
	{Account: "manager", Own: true, Verb: "create", Resource: "pods/exec"},
	{Account: "manager", Own: true, Verb: "get", Resource: "pods/exec"},
}

// TestEveryRightIsExplained compares the roles with the table of docs/security.md.
func TestEveryRightIsExplained(t *testing.T) {
	var allowed []string
	for _, r := range switchable {
		allowed = append(allowed, r.String())
	}
	for _, account := range []string{"manager", "odiglet"} {
		content, err := os.ReadFile("../../config/rbac/" + account + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		all, err := OfRoles(account, content)
		if err != nil || len(all) == 0 {
			t.Fatalf("rights of the %s: %v (%v)", account, all, err)
		}
		for _, r := range all {
			allowed = append(allowed, r.String())
		}
	}
	table, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := OfTable(string(table))
	if err != nil {
		t.Fatal(err)
	}
	var explained []string
	for _, row := range rows {
		for _, r := range row.Rights {
			explained = append(explained, r.String())
		}
	}
	slices.Sort(allowed)
	slices.Sort(explained)
	if diff := cmp.Diff(explained, slices.Compact(allowed)); diff != "" {
		t.Errorf("rights (-explained in docs/security.md, +allowed by config/rbac):\n%s", diff)
	}
}

func TestARequestNeedsItsRightAlone(t *testing.T) {
	log := `{"verb":"patch","user":{"username":"m"},"objectRef":{"resource":"secrets","name":"a"},"responseStatus":{"code":201}}
{"verb":"list","user":{"username":"m"},"objectRef":{"apiGroup":"apps","resource":"deployments"},"responseStatus":{"code":403}}
{"verb":"get","user":{"username":"m"},"objectRef":{"resource":"pods","subresource":"log","name":"p"},"responseStatus":{"code":200}}
{"verb":"create","user":{"username":"m"},"objectRef":{"resource":"events"},"responseStatus":{"code":403,"details":{"causes":[{"reason":"NamespaceTerminating","message":"namespace shop is being terminated"}]}}}
{"verb":"get","user":{"username":"somebody"},"objectRef":{"resource":"nodes"},"responseStatus":{"code":200}}
{"verb":"get","user":{"username":"m"},"responseStatus":{"code":200}}
`
	got, err := OfAudit(strings.NewReader(log), map[string]string{"m": "manager"})
	if err != nil {
		t.Fatal(err)
	}
	want := []Request{
		{"manager", "patch", "secrets", "a", false}, {"manager", "create", "secrets", "a", false},
		{"manager", "list", "apps/deployments", "", true}, {"manager", "get", "pods/log", "p", false},
		{"manager", "create", "events", "", false},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	named, other := Right{"manager", true, "patch", "secrets", "a"}, Right{"manager", true, "patch", "secrets", "b"}
	if !got[0].Uses(named) || got[0].Uses(other) || got[1].Uses(named) {
		t.Error("a request uses another's right")
	}
}
