package uninstrument

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/selected"
)

func config(name string, method odiv1.Method, target odiv1.Target) odiv1.InstrumentationConfig {
	return odiv1.InstrumentationConfig{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, ManagedFields: []metav1.ManagedFieldsEntry{
			{Manager: "odi-manager", Subresource: "status"}, {Manager: "odi"},
		}},
		Spec: odiv1.InstrumentationConfigSpec{Method: method, Target: target},
	}
}

// byHand is a config that somebody applied.
func byHand(name string, method odiv1.Method, target odiv1.Target) odiv1.InstrumentationConfig {
	c := config(name, method, target)
	c.ManagedFields[1].Manager = "kubectl-client-side-apply"
	return c
}

func TestPlan(t *testing.T) {
	namespace := selected.Wish{Namespace: "shop", Name: "shop"}
	cart := selected.Wish{Kind: odiv1.KindDeployment, Namespace: "shop", Name: "cart"}
	all := odiv1.Target{}
	one := odiv1.Target{Kind: odiv1.KindDeployment, Name: "cart"}
	byLabel := odiv1.Target{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"tier": "front"}}}
	tests := map[string]struct {
		wish    selected.Wish
		own     map[string]string
		configs []odiv1.InstrumentationConfig
		all     bool
		want    string // what is removed, switched off, noted
	}{
		"a namespace's config is removed": {
			wish: namespace, configs: []odiv1.InstrumentationConfig{config("namespace", odiv1.MethodAuto, all)},
			want: "remove namespace",
		},
		"a namespace's other configs stay and are named": {
			wish: namespace, configs: []odiv1.InstrumentationConfig{config("namespace", odiv1.MethodAuto, all), config("cart", odiv1.MethodAuto, one)},
			want: "remove namespace; note InstrumentationConfig cart still selects workloads of it",
		},
		"what somebody applied is left alone": {
			wish: namespace, configs: []odiv1.InstrumentationConfig{config("namespace", odiv1.MethodAuto, all), byHand("theirs", odiv1.MethodAuto, all)},
			want: "remove namespace; leave theirs",
		},
		"what somebody applied goes with all of it": {
			wish: namespace, configs: []odiv1.InstrumentationConfig{config("namespace", odiv1.MethodAuto, all), byHand("theirs", odiv1.MethodAuto, all)},
			all: true, want: "remove namespace; remove theirs",
		},
		"an applied None instruments nothing, and stays": {
			wish: namespace, configs: []odiv1.InstrumentationConfig{config("namespace", odiv1.MethodAuto, all), byHand("off", odiv1.MethodNone, all)},
			all: true, want: "remove namespace",
		},
		"an own None goes": {
			wish: namespace, configs: []odiv1.InstrumentationConfig{config("namespace", odiv1.MethodNone, all)},
			want: "remove namespace",
		},
		"all that still select are named": {
			wish: namespace, configs: []odiv1.InstrumentationConfig{config("a", odiv1.MethodAuto, one), config("b", odiv1.MethodAuto, byLabel), config("c", odiv1.MethodNone, byLabel)},
			want: "note InstrumentationConfigs a, b still select workloads of it",
		},
		"a workload's applied config is left alone, too": {
			wish: cart, configs: []odiv1.InstrumentationConfig{byHand("theirs", odiv1.MethodAuto, one)},
			want: "leave theirs",
		},
		"a workload's applied config that says None does the work": {
			wish: cart, configs: []odiv1.InstrumentationConfig{byHand("theirs", odiv1.MethodNone, one)},
			want: "note InstrumentationConfig theirs has switched it off already",
		},
		"a workload's only config is removed": {
			wish: cart, configs: []odiv1.InstrumentationConfig{config("cart", odiv1.MethodAuto, one)},
			want: "remove cart",
		},
		"another workload's config is no reason": {
			wish: cart, configs: []odiv1.InstrumentationConfig{
				config("cart", odiv1.MethodAuto, one),
				config("pay", odiv1.MethodAuto, odiv1.Target{Kind: odiv1.KindDeployment, Name: "pay"})},
			want: "remove cart",
		},
		"a workload of an instrumented namespace gets a config that says None": {
			wish: cart, configs: []odiv1.InstrumentationConfig{config("namespace", odiv1.MethodAuto, all)},
			want: "create deployment-cart None; note InstrumentationConfig namespace selects it, so it is switched off by a config of its own",
		},
		"a selector selects it as well": {
			wish: cart, own: map[string]string{"tier": "front"}, configs: []odiv1.InstrumentationConfig{config("front", odiv1.MethodAuto, byLabel)},
			want: "create deployment-cart None; note InstrumentationConfig front selects it, so it is switched off by a config of its own",
		},
		"a selector for others does not": {
			wish: cart, own: map[string]string{"tier": "back"}, configs: []odiv1.InstrumentationConfig{config("front", odiv1.MethodAuto, byLabel)},
			want: "",
		},
		"its own config is changed where the namespace's would take over": {
			wish: cart, configs: []odiv1.InstrumentationConfig{config("namespace", odiv1.MethodAuto, all), config("mine", odiv1.MethodEBPF, one)},
			want: "change mine None; note InstrumentationConfig namespace selects it, so it is switched off by a config of its own",
		},
		"off is off": {
			wish: cart, configs: []odiv1.InstrumentationConfig{config("namespace", odiv1.MethodAuto, all), config("mine", odiv1.MethodNone, one)},
			want: "note InstrumentationConfig mine has switched it off already",
		},
		"a config that says None is no wider reason, and goes": {
			wish: cart, configs: []odiv1.InstrumentationConfig{config("namespace", odiv1.MethodNone, all), config("mine", odiv1.MethodAuto, one)},
			want: "remove mine",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := plan(tc.wish, tc.own, tc.configs, tc.all)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, inWords(got)); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
		})
	}
}

func inWords(s step) string {
	text := ""
	add := func(words string) {
		if text != "" {
			text += "; "
		}
		text += words
	}
	for _, name := range s.removed() {
		add("remove " + name)
	}
	if s.switchOff != nil {
		verb := "create "
		if s.exists {
			verb = "change "
		}
		add(verb + s.switchOff.Name + " " + string(s.switchOff.Spec.Method))
	}
	for _, config := range s.byHand {
		add("leave " + config.Name)
	}
	if s.note != "" {
		add("note " + s.note)
	}
	return text
}
