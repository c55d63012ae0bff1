// Package rights compares three lists: what odi's roles allow, what
// docs/security.md says of it, and what odi's accounts asked an API server for.
package rights

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// Right is one thing that an account may do.
type Right struct {
	// Account is manager or odiglet.
	Account string
	// Own says that it holds in odi's own namespace alone.
	Own bool
	// Verb and Resource, as group/resource/subresource without empty parts.
	Verb, Resource string
	// Name is the only object that it holds for; empty means any.
	Name string
}

// String is what the table of docs/security.md has.
func (r Right) String() string {
	where := "cluster"
	if r.Own {
		where = "odi's namespace"
	}
	return strings.TrimSpace(fmt.Sprintf("%s (%s): %s %s %s", r.Account, where, r.Verb, r.Resource, r.Name))
}

// OfRoles reads the generated roles of one account.
func OfRoles(account string, manifests []byte) ([]Right, error) {
	var all []Right
	for _, document := range bytes.Split(manifests, []byte("\n---\n")) {
		var role rbacv1.Role // A ClusterRole has the same fields.
		if err := yaml.Unmarshal(document, &role); err != nil {
			return nil, fmt.Errorf("reading the roles of the %s: %w", account, err)
		}
		for _, rule := range role.Rules {
			all = append(all, ofRule(account, role.Kind == "Role", rule)...)
		}
	}
	return all, nil
}

func ofRule(account string, own bool, rule rbacv1.PolicyRule) []Right {
	names := rule.ResourceNames
	if len(names) == 0 {
		names = []string{""}
	}
	var all []Right
	for _, group := range rule.APIGroups {
		for _, resource := range rule.Resources {
			if group != "" {
				resource = group + "/" + resource
			}
			for _, verb := range rule.Verbs {
				for _, name := range names {
					all = append(all, Right{account, own, verb, resource, name})
				}
			}
		}
	}
	return all
}

// Row is what the table says of some rights.
type Row struct {
	Rights []Right
	// Case says when they are used where the end-to-end test does not use them; empty where it does.
	Case string
}

// OfTable reads the table of rights: account, where, `verbs resources names` with
// commas, why, what breaks, and "end to end" or the case in which they are used.
func OfTable(markdown string) ([]Row, error) {
	var rows []Row
	for line := range strings.Lines(markdown) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 6 || !strings.HasPrefix(strings.TrimSpace(cells[2]), "`") {
			continue
		}
		row, err := ofCells(cells)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func ofCells(cells []string) (Row, error) {
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	parts := strings.Fields(strings.Trim(cells[2], "`"))
	if len(parts) < 2 || len(parts) > 3 {
		return Row{}, fmt.Errorf("%q is not `verbs resources names`", cells[2])
	}
	names := []string{""}
	if len(parts) == 3 {
		names = strings.Split(parts[2], ",")
	}
	var row Row
	if cells[5] != "end to end" {
		row.Case = cells[5]
	}
	for _, verb := range strings.Split(parts[0], ",") {
		for _, resource := range strings.Split(parts[1], ",") {
			for _, name := range names {
				row.Rights = append(row.Rights, Right{cells[0], cells[1] == "own", verb, resource, name})
			}
		}
	}
	return row, nil
}

// Request is what an account asked for.
type Request struct {
	Account, Verb, Resource, Name string
	// Refused is set where the account had no right to it.
	Refused bool
}

// event is the part of an audit event that matters here.
type event struct {
	Verb string `json:"verb"`
	User struct {
		Username string `json:"username"`
	} `json:"user"`
	ObjectRef struct {
		APIGroup    string `json:"apiGroup"`
		Resource    string `json:"resource"`
		Subresource string `json:"subresource"`
		Name        string `json:"name"`
	} `json:"objectRef"`
	ResponseStatus metav1.Status `json:"responseStatus"`
}

// refused says that the account had no right: neither a role nor a policy let it. What nobody may do,
// make something in a namespace that goes, is answered with the same code.
func (e event) refused() bool {
	return e.ResponseStatus.Code == http.StatusForbidden &&
		!apierrors.HasStatusCause(&apierrors.StatusError{ErrStatus: e.ResponseStatus}, corev1.NamespaceTerminatingCause)
}

// OfAudit reads an API server's audit log. accounts says whose name is whose.
func OfAudit(log io.Reader, accounts map[string]string) ([]Request, error) {
	seen := map[Request]bool{}
	var all []Request
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, fmt.Errorf("reading the audit log: %w", err)
		}
		account, ours := accounts[e.User.Username]
		if !ours || e.ObjectRef.Resource == "" {
			continue
		}
		parts := []string{e.ObjectRef.APIGroup, e.ObjectRef.Resource, e.ObjectRef.Subresource}
		parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
		r := Request{account, e.Verb, strings.Join(parts, "/"), e.ObjectRef.Name, e.refused()}
		requests := []Request{r}
		if e.Verb == "patch" && e.ResponseStatus.Code == http.StatusCreated {
			r.Verb = "create" // Applying what is not there yet needs both.
			requests = append(requests, r)
		}
		for _, r := range requests {
			if !seen[r] {
				seen[r] = true
				all = append(all, r)
			}
		}
	}
	return all, lines.Err()
}

// Uses says whether a request needs a right.
func (r Request) Uses(right Right) bool {
	return r.Account == right.Account && r.Verb == right.Verb && r.Resource == right.Resource && (right.Name == "" || right.Name == r.Name)
}
