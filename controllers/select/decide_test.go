package selection

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
)

// dated makes a config that is some minutes old.
func dated(name string, minutes int, target odiv1.Target) odiv1.InstrumentationConfig {
	c := config("shop", name, target)
	c.CreationTimestamp = metav1.NewTime(time.Date(2026, 1, 1, 12, -minutes, 0, 0, time.UTC))
	return *c
}

func TestDecide(t *testing.T) {
	everything := odiv1.Target{}
	web := odiv1.Target{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"tier": "web"}}}
	cart := odiv1.Target{Kind: odiv1.KindDeployment, Name: "cart"}
	typo := odiv1.Target{Selector: &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "tier", Operator: "In"}}}}
	for name, tc := range map[string]struct {
		excluded    bool
		configs     []odiv1.InstrumentationConfig
		existing    []string // names of Deployments that were selected before
		wantWinners map[string]string
		wantGone    []string
		wantReasons map[string]string
	}{
		"no config selects nothing": {},
		"the whole namespace": {
			configs:     []odiv1.InstrumentationConfig{dated("all", 1, everything)},
			wantWinners: map[string]string{"cart": "all", "db": "all"},
			wantReasons: map[string]string{"all": odiv1.ReasonSelected},
		},
		"a name is stronger than labels, labels than the namespace": {
			configs:     []odiv1.InstrumentationConfig{dated("all", 3, everything), dated("web", 2, web), dated("cart", 1, cart)},
			wantWinners: map[string]string{"cart": "cart", "db": "all"},
			wantReasons: map[string]string{"all": odiv1.ReasonSelected, "web": odiv1.ReasonSelected, "cart": odiv1.ReasonSelected},
		},
		"of equals the older wins": {
			configs:     []odiv1.InstrumentationConfig{dated("a-younger", 1, cart), dated("b-older", 2, cart)},
			wantWinners: map[string]string{"cart": "b-older"},
			wantReasons: map[string]string{"a-younger": odiv1.ReasonOverridden, "b-older": odiv1.ReasonSelected},
		},
		"of equals of one age the first by name wins": {
			configs:     []odiv1.InstrumentationConfig{dated("b", 1, cart), dated("a", 1, cart)},
			wantWinners: map[string]string{"cart": "a"},
			wantReasons: map[string]string{"a": odiv1.ReasonSelected, "b": odiv1.ReasonOverridden},
		},
		"two for the whole namespace: the older wins, and the other does nothing": {
			configs:     []odiv1.InstrumentationConfig{dated("a-younger", 1, everything), dated("b-older", 2, everything), dated("cart", 1, cart)},
			wantWinners: map[string]string{"cart": "cart", "db": "b-older"},
			wantReasons: map[string]string{"a-younger": odiv1.ReasonOverridden, "b-older": odiv1.ReasonSelected, "cart": odiv1.ReasonSelected},
		},
		"two by the same labels": {
			configs:     []odiv1.InstrumentationConfig{dated("a-younger", 1, web), dated("b-older", 2, web)},
			wantWinners: map[string]string{"cart": "b-older"},
			wantReasons: map[string]string{"a-younger": odiv1.ReasonOverridden, "b-older": odiv1.ReasonSelected},
		},
		"one for the namespace of which each workload has its own is no twin": {
			configs:     []odiv1.InstrumentationConfig{dated("all", 1, everything), dated("cart", 1, cart), dated("db", 1, odiv1.Target{Kind: odiv1.KindDeployment, Name: "db"})},
			wantWinners: map[string]string{"cart": "cart", "db": "db"},
			wantReasons: map[string]string{"all": odiv1.ReasonSelected, "cart": odiv1.ReasonSelected, "db": odiv1.ReasonSelected},
		},
		"the kind counts": {
			configs:     []odiv1.InstrumentationConfig{dated("sts", 1, odiv1.Target{Kind: odiv1.KindStatefulSet, Name: "cart"})},
			wantReasons: map[string]string{"sts": odiv1.ReasonWorkloadNotFound},
		},
		"labels that no workload has": {
			configs:     []odiv1.InstrumentationConfig{dated("none", 1, odiv1.Target{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"tier": "x"}}})},
			wantReasons: map[string]string{"none": odiv1.ReasonNoWorkloads},
		},
		"a selector that cannot be read selects nothing": {
			configs:     []odiv1.InstrumentationConfig{dated("typo", 1, typo)},
			wantReasons: map[string]string{"typo": odiv1.ReasonInvalidConfig},
		},
		"an excluded namespace": {
			excluded:    true,
			configs:     []odiv1.InstrumentationConfig{dated("all", 1, everything)},
			existing:    []string{"cart"},
			wantGone:    []string{"cart"},
			wantReasons: map[string]string{"all": odiv1.ReasonNamespaceExcluded},
		},
		"what is not selected any more goes": {
			configs:     []odiv1.InstrumentationConfig{dated("cart", 1, cart)},
			existing:    []string{"cart", "db", "deleted"},
			wantWinners: map[string]string{"cart": "cart"},
			wantGone:    []string{"db", "deleted"},
			wantReasons: map[string]string{"cart": odiv1.ReasonSelected},
		},
	} {
		t.Run(name, func(t *testing.T) {
			in := input{namespace: "shop", excluded: tc.excluded, configs: tc.configs}
			for name, tier := range map[string]string{"cart": "web", "db": "data"} {
				w, _ := kube.ReadWorkload(deployment("shop", name, "tier", tier))
				in.workloads = append(in.workloads, w)
			}
			for _, name := range tc.existing {
				iw := odiv1.InstrumentedWorkload{ObjectMeta: metav1.ObjectMeta{Name: "deployment-" + name}}
				iw.Spec.Workload = odiv1.WorkloadReference{Kind: odiv1.KindDeployment, Name: name}
				in.existing = append(in.existing, iw)
			}
			p := decide(in)

			winners, reasons := map[string]string{}, map[string]string{}
			var gone []string
			for _, s := range p.selections {
				winners[s.workload.Name] = s.config.Name
			}
			for _, iw := range p.deselected {
				gone = append(gone, iw.Spec.Workload.Name)
			}
			for _, o := range p.outcomes {
				reasons[o.config.Name] = o.ready.reason
			}
			if diff := cmp.Diff(orEmpty(tc.wantWinners), winners); diff != "" {
				t.Errorf("winners (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.wantGone, gone); diff != "" {
				t.Errorf("deselected (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(orEmpty(tc.wantReasons), reasons); diff != "" {
				t.Errorf("reasons (-want +got):\n%s", diff)
			}
		})
	}
}

func orEmpty(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

// TestTwinsNameEachOther: who looks at either of two configs for the same learns which of them counts.
func TestTwinsNameEachOther(t *testing.T) {
	p := decide(input{namespace: "shop", configs: []odiv1.InstrumentationConfig{dated("young", 1, odiv1.Target{}), dated("old", 3, odiv1.Target{}), dated("middle", 2, odiv1.Target{})}})
	got := map[string]string{}
	for _, o := range p.outcomes {
		got[o.config.Name] = o.ready.message
	}
	want := map[string]string{
		"old":    "No workload matches yet; one that appears will be instrumented at once. InstrumentationConfig middle, young: for the same, younger, and without effect.",
		"middle": "InstrumentationConfig old, which is older, selects the same workloads.",
		"young":  "InstrumentationConfig old, which is older, selects the same workloads.",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}
