package outbound

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"net/netip"
	"slices"
	"strings"
	"testing"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/destinations"
)

func TestWhereNoDataMayGo(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
	p := Policy{
		Namespace: "odi-system",
		Allow:     []netip.Prefix{netip.MustParsePrefix("169.254.7.0/24")},
		Own: func() []netip.Addr {
			return []netip.Addr{netip.MustParseAddr("10.96.7.7"), netip.MustParseAddr("fd00::7")}
		},
	}
	const circle, machine, api, fine = "round in circles", "own machine", "the API server", ""
	for host, want := range map[string]string{
		"odi-gateway": circle, "odi-gateway.odi-system": circle, "odi-gateway.odi-system.svc": circle, "ODI-Gateway.ODI-System.svc": circle,
		"odi-gateway.odi-system.svc.cluster.local": circle, "odi-gateway.odi-system.svc.cluster.local.": circle, "odi-gateway.odi-system.svc.my.domain": circle,
		"10-96-9-9.odi-gateway.odi-system.svc.cluster.local": circle, "odi-node-collector.odi-system": circle, "odi-manager.odi-system.svc": circle, "odiglet": circle,
		"10.96.7.7": circle, "::ffff:10.96.7.7": circle, "fd00::7": circle, "fd00:0:0::7": circle, "10-96-7-7.odi-system.pod.cluster.local": circle,
		"odi-gateway.shop": fine, "odi-gateway.shop.svc.cluster.local": fine, "odi-gateway.example.com": fine,
		"localhost": machine, "LOCALHOST.": machine, "a.localhost": machine, "localhost.localdomain": machine,
		"127.0.0.1": machine, "127.8.8.8": machine, "::1": machine, "::": machine, "0.0.0.0": machine, "::ffff:127.0.0.1": machine,
		"169.254.169.254": machine, "fe80::1": machine, "224.0.0.1": machine, "255.255.255.255": machine, "ff02::1": machine, "fd00:ec2::254": machine,
		"168.63.129.16": machine, "100.100.100.200": machine, "64:ff9b::7f00:1": machine, "2002:7f00:1::": machine,
		"127-0-0-1.shop.pod.cluster.local": machine,
		"169.254.7.1":                      fine,
		"kubernetes":                       api, "kubernetes.default": api, "kubernetes.default.svc": api, "kubernetes.default.svc.cluster.local": api, "10.96.0.1": api,
		"kubernetes.io": fine, "otlp.kubernetes.example.com": fine,
		"jaeger.observability": fine, "jaeger": fine, "10.0.0.1": fine, "192.168.1.1": fine, "172.16.0.1": fine, "fd12::1": fine, "otlp.example.com": fine,
	} {
		got := p.refusal(host)
		if want == fine && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s is %q, want %q", host, got, want)
		}
	}
}

// TestEveryAddressOfEveryTypeIsJudged also holds that the field is named.
func TestEveryAddressOfEveryTypeIsJudged(t *testing.T) {
	types, err := destinations.Types()
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, typ := range types {
		for _, f := range typ.Fields {
			if f.Address == "" {
				continue
			}
			tried++
			d := &odiv1.Destination{Spec: odiv1.DestinationSpec{Type: typ.Name, Config: map[string]string{f.Name: "http://[::1]:4317/"}}}
			var problem *destinations.FieldError
			if err := (Policy{Namespace: "odi-system"}).Check(d); !errors.As(err, &problem) || problem.Field != f.Name {
				t.Errorf("%s: got %v, want a refusal of %s", typ.Name, err, f.Name)
			}
		}
	}
	if tried == 0 {
		t.Error("no type has an address")
	}
}

// TestTheGuardDeniesTheSame: the collector is another module, so its extension has the
// list again. What one of them denies, the other must.
func TestTheGuardDeniesTheSame(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../collector/components/guardextension/rules.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var theirs []netip.Prefix
	ast.Inspect(file, func(n ast.Node) bool {
		list, ok := n.(*ast.ValueSpec)
		if !ok || list.Names[0].Name != "denied" {
			return true
		}
		ast.Inspect(list, func(n ast.Node) bool {
			if text, ok := n.(*ast.BasicLit); ok {
				theirs = append(theirs, netip.MustParsePrefix(strings.Trim(text.Value, `"`)))
			}
			return true
		})
		return false
	})
	if !slices.Equal(theirs, denied) {
		t.Errorf("guardextension denies %v, this package %v", theirs, denied)
	}
}
