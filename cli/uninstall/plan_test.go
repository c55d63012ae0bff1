package uninstall

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/kinds"
	"github.com/odi-dev/odi/cli/release"
)

func TestCheck(t *testing.T) {
	deployed := release.State{Exists: true}
	tests := map[string]struct {
		seen        survey
		includeCRDs bool
		want        string // empty: go on
	}{
		"here":                              {seen: survey{release: deployed, manager: true}},
		"here, with its kinds":              {seen: survey{release: deployed, manager: true}, includeCRDs: true},
		"a release without a manager":       {seen: survey{release: deployed}},
		"nowhere":                           {seen: survey{}, includeCRDs: true},
		"elsewhere":                         {seen: survey{elsewhere: []string{"odi-system"}}, want: "not installed in x but in odi-system; to remove it: odi uninstall --namespace odi-system"},
		"here and elsewhere":                {seen: survey{release: deployed, manager: true, elsewhere: []string{"y"}}},
		"here and elsewhere, and the kinds": {seen: survey{release: deployed, manager: true, elsewhere: []string{"y"}}, includeCRDs: true, want: "another odi, in y"},
		"from manifests":                    {seen: survey{manager: true}, want: "was applied from manifests"},
		"a release of another name":         {seen: survey{manager: true, managedBy: "mine"}, want: "helm uninstall mine --namespace x"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			tc.seen.namespace = "x"
			err := tc.seen.check(tc.includeCRDs)
			if tc.want == "" && err != nil || tc.want != "" && (exit.Code(err) != exit.Usage || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

func TestDecide(t *testing.T) {
	own := []kinds.Definition{{Name: "destinations.odi.dev", Kept: true}}
	inside := wishes{destinations: []odiv1.Destination{{ObjectMeta: metav1.ObjectMeta{Namespace: "x"}}}}
	outside := wishes{destinations: []odiv1.Destination{{ObjectMeta: metav1.ObjectMeta{Namespace: "shop"}}}}
	deployed := release.State{Exists: true}
	letsGo := release.State{Exists: true, Values: map[string]any{"crds": map[string]any{"keep": false}}}
	type outcome struct{ kindsGo, reports, namespaceStays, nothing bool }
	tests := map[string]struct {
		seen    survey
		kindsGo bool
		want    outcome
	}{
		"kinds stay, and the namespace with what is in it": {seen: survey{release: deployed, kinds: own, wishes: inside, made: true}, want: outcome{reports: true, namespaceStays: true}},
		"kinds stay, and nothing of theirs is inside":      {seen: survey{release: deployed, kinds: own, wishes: outside, made: true}, want: outcome{reports: true}},
		"kinds go, and the namespace with all in it":       {seen: survey{release: deployed, kinds: own, wishes: inside, made: true}, kindsGo: true, want: outcome{kindsGo: true}},
		"the namespace is the user's":                      {seen: survey{release: deployed, kinds: own}, kindsGo: true, want: outcome{kindsGo: true, namespaceStays: true}},
		"the chart was told to take them along":            {seen: survey{release: letsGo, kinds: own}, want: outcome{kindsGo: true, namespaceStays: true}},
		"another odi needs its reports":                    {seen: survey{release: deployed, kinds: own, elsewhere: []string{"y"}}, want: outcome{namespaceStays: true}},
		"another odi needs the kinds, too":                 {seen: survey{release: letsGo, kinds: own, elsewhere: []string{"y"}}, want: outcome{namespaceStays: true}},
		"nothing is there":                                 {seen: survey{}, want: outcome{reports: true, namespaceStays: true, nothing: true}},
		"only kinds are left, and stay":                    {seen: survey{kinds: own}, want: outcome{reports: true, namespaceStays: true, nothing: true}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			tc.seen.namespace = "x"
			p := tc.seen.decide(tc.kindsGo)
			got := outcome{kindsGo: len(p.kinds) > 0, reports: p.reports, namespaceStays: p.namespaceStays, nothing: p.nothing()}
			if got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
			if len(p.kinds) == 0 && len(p.wishes.all()) > 0 {
				t.Error("wishes go without their kinds")
			}
		})
	}
}
