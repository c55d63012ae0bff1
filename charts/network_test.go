package charts_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/yaml"
)

const component = "app.kubernetes.io/component"

func networkPolicies(t *testing.T, values map[string]any) []networkingv1.NetworkPolicy {
	t.Helper()
	manifests, err := render(t, "v1.36.3", values)
	if err != nil {
		t.Fatal(err)
	}
	var found []networkingv1.NetworkPolicy
	for _, document := range strings.Split(manifests, "\n---\n") {
		var p networkingv1.NetworkPolicy
		if strings.Contains(document, "\nkind: NetworkPolicy\n") {
			if err := yaml.UnmarshalStrict([]byte(document), &p); err != nil {
				t.Fatal(err)
			}
			found = append(found, p)
		}
	}
	return found
}

// TestWhoMayConnectToWhom reads the policies as a network does: a pod that one
// selects takes only what is listed. No network enforces them where the tests run.
func TestWhoMayConnectToWhom(t *testing.T) {
	metricsFrom := []any{map[string]any{"namespaceSelector": map[string]any{"matchLabels": map[string]any{"name": "monitoring"}}}}
	tests := map[string]struct {
		values map[string]any
		want   map[string][]string
	}{
		"by default": {want: map[string][]string{
			"gateway": {"manager 8888", "node-collector 4317"}, "node-collector": {"namespaces 4318", "odiglet 4317", "odiglet 4319"}, "odiglet": nil,
			"manager": {"0.0.0.0/0 9443", "::/0 9443"},
		}},
		"with a Prometheus": {
			values: map[string]any{"networkPolicies": map[string]any{"metricsFrom": metricsFrom}},
			want: map[string][]string{
				"gateway":        {"manager 8888", "namespaces name=monitoring 8888", "node-collector 4317"},
				"node-collector": {"namespaces 4318", "namespaces name=monitoring 8888", "odiglet 4317", "odiglet 4319"},
				"odiglet":        {"namespaces name=monitoring 8090"}, "manager": {"0.0.0.0/0 9443", "::/0 9443", "namespaces name=monitoring 8080"},
			},
		},
		"switched off": {values: map[string]any{"networkPolicies": map[string]any{"enabled": false}}, want: map[string][]string{}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := map[string][]string{}
			for _, p := range networkPolicies(t, tc.values) {
				if !slices.Contains(p.Spec.PolicyTypes, networkingv1.PolicyTypeIngress) {
					continue
				}
				var who []string
				for _, rule := range p.Spec.Ingress {
					who = append(who, peers(t, rule)...)
				}
				slices.Sort(who)
				got[p.Spec.PodSelector.MatchLabels[component]] = who
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("who may connect (-want +got):\n%s", diff)
			}
		})
	}
}

// peers are those of a rule with each port. A rule without either lets all in.
func peers(t *testing.T, rule networkingv1.NetworkPolicyIngressRule) []string {
	t.Helper()
	if len(rule.From) == 0 || len(rule.Ports) == 0 {
		t.Error("a rule lets everybody in")
	}
	var out []string
	for _, from := range rule.From {
		who := "namespaces"
		if from.IPBlock != nil {
			who = from.IPBlock.CIDR
		} else if from.NamespaceSelector != nil {
			for key, value := range from.NamespaceSelector.MatchLabels {
				who += " " + key + "=" + value
			}
		} else {
			who = from.PodSelector.MatchLabels[component]
		}
		for _, port := range rule.Ports {
			out = append(out, fmt.Sprintf("%s %d", who, port.Port.IntVal))
		}
	}
	return out
}

func TestTheGatewayDoesNotReachTheCloudsMetadata(t *testing.T) {
	for _, p := range networkPolicies(t, nil) {
		if p.Spec.PodSelector.MatchLabels[component] != "gateway" || len(p.Spec.Egress) == 0 {
			continue
		}
		var except []string
		for _, rule := range p.Spec.Egress {
			if len(rule.To) == 0 && len(rule.Ports) == 0 {
				t.Error("a rule lets everything out")
			}
			for _, to := range rule.To {
				if to.IPBlock != nil {
					except = append(except, to.IPBlock.Except...)
				}
			}
		}
		for _, want := range []string{"169.254.0.0/16", "100.100.100.200/32", "fe80::/10", "fd00:ec2::254/128"} {
			if !slices.Contains(except, want) {
				t.Errorf("%s is not excepted from %v", want, except)
			}
		}
		return
	}
	t.Error("there is no such policy")
}

// TestPoliciesSelectTheirPods compares the policies' labels with those of the pods.
func TestPoliciesSelectTheirPods(t *testing.T) {
	manifests, err := render(t, "v1.36.3", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range networkPolicies(t, nil) {
		selected := false
		for _, labels := range podLabels(t, manifests) {
			all := true
			for key, value := range p.Spec.PodSelector.MatchLabels {
				all = all && labels[key] == value
			}
			selected = selected || all
		}
		if !selected {
			t.Errorf("%s selects no pod of the chart", p.Name)
		}
	}
}
