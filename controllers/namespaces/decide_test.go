package namespaces

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestSelector(t *testing.T) {
	const known = "-----BEGIN CERTIFICATE-----"
	for name, tc := range map[string]struct {
		namespaces  []string
		authorities string
		want        string
	}{
		"no namespace is asked about by default":            {authorities: known, want: "!kubernetes.io/metadata.name"},
		"none before the webhook can be known":              {namespaces: []string{"shop"}, want: "!kubernetes.io/metadata.name"},
		"each namespace once, in order":                     {[]string{"shop", "bank", "shop"}, known, "kubernetes.io/metadata.name in (bank,shop),odi.dev/inject notin (false)"},
		"one that is excluded is left out":                  {[]string{"odi-system", "shop"}, known, "kubernetes.io/metadata.name in (shop),odi.dev/inject notin (false)"},
		"none where only excluded ones would have an agent": {[]string{"odi-system"}, known, "!kubernetes.io/metadata.name"},
	} {
		t.Run(name, func(t *testing.T) {
			got := selector(Input{
				Namespaces: tc.namespaces, Authorities: []byte(tc.authorities), Excludes: func(n string) bool { return n == "odi-system" },
			})
			if diff := cmp.Diff(tc.want, metav1.FormatLabelSelector(&got)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
