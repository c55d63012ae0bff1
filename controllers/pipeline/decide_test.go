package pipeline

import (
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func judged(namespace, name string, v verdict) Destination {
	return Destination{
		Verdict: v,
		Destination: &odiv1.Destination{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID("uid-of-" + name)},
			Spec:       odiv1.DestinationSpec{Type: "otlp", Config: map[string]string{"endpoint": "https://otlp.example.com:4317"}},
		},
	}
}

func edited(d Destination) Destination {
	d.Spec.Config = map[string]string{"endpoint": "https://elsewhere.example.com"}
	return d
}

func anew(d Destination) Destination {
	d.UID = "another"
	return d
}

// appliedOf is what the gateway has of Destinations, as it is read from the cluster.
func appliedOf(t *testing.T, destinations []Destination) applied {
	t.Helper()
	p, err := decide(Input{Namespace: "odi-system", Destinations: destinations})
	if err != nil {
		t.Fatal(err)
	}
	parts, err := record(p.Lanes)
	if err != nil {
		t.Fatal(err)
	}
	return applied{Lanes: recordedLanes(parts), Credentials: p.Credentials}
}

func TestDecide(t *testing.T) {
	off := judged("odi-system", "off", valid)
	off.Spec.Disabled = true
	secret := judged("shop", "secret", valid)
	secret.Secrets = map[string]string{"header_value": "hunter2", "not-a-field": "x"}
	unread := judged("shop", "secret", valid)
	unread.Unread = errUnusable
	gone := judged("odi-system", "gone", valid)
	gone.Spec.Type = "no-such-type"

	tests := map[string]struct {
		destinations    []Destination
		applied         []Destination // what the gateway has
		wantLanes       []string
		wantCredentials map[string][]byte
		wantLeftOut     []string
	}{
		"without destinations there is a gateway that sends nowhere": {},
		"valid ones are in, the others out": {
			destinations: []Destination{judged("odi-system", "a", valid), judged("odi-system", "b", invalid), judged("odi-system", "c", notJudged), off},
			wantLanes:    []string{"odi-system/a"},
		},
		"one that is judged anew keeps what it has, and holds nobody": {
			destinations: []Destination{judged("odi-system", "a", valid), edited(judged("odi-system", "b", outdated))},
			applied:      []Destination{judged("odi-system", "b", valid)},
			wantLanes:    []string{"odi-system/a", "odi-system/b at https://otlp.example.com:4317"},
			wantLeftOut:  []string{"odi-system/b"},
		},
		"one in passing trouble keeps what it has, with its credentials": {
			destinations:    []Destination{judged("shop", "secret", kept)},
			applied:         []Destination{secret},
			wantLanes:       []string{"shop/secret"},
			wantCredentials: map[string][]byte{"ODI_uid_of_secret_HEADER_VALUE": []byte("hunter2")},
			wantLeftOut:     []string{"shop/secret"},
		},
		"one whose Secret cannot be read keeps what it has": {
			destinations:    []Destination{judged("odi-system", "a", valid), unread},
			applied:         []Destination{secret},
			wantLanes:       []string{"odi-system/a", "shop/secret"},
			wantCredentials: map[string][]byte{"ODI_uid_of_secret_HEADER_VALUE": []byte("hunter2")},
			wantLeftOut:     []string{"shop/secret"},
		},
		"one that has nothing yet is out until it is judged": {
			destinations: []Destination{judged("odi-system", "a", valid), judged("odi-system", "b", outdated)},
			wantLanes:    []string{"odi-system/a"},
			wantLeftOut:  []string{"odi-system/b"},
		},
		"one that is made anew has nothing of its predecessor": {
			destinations: []Destination{anew(judged("odi-system", "b", outdated))},
			applied:      []Destination{judged("odi-system", "b", valid)},
			wantLeftOut:  []string{"odi-system/b"},
		},
		"one that is not valid any more has nothing": {
			destinations: []Destination{judged("odi-system", "b", invalid)},
			applied:      []Destination{judged("odi-system", "b", valid)},
		},
		"secrets are named by the destination's own UID": {
			destinations:    []Destination{secret},
			wantLanes:       []string{"shop/secret"},
			wantCredentials: map[string][]byte{"ODI_uid_of_secret_HEADER_VALUE": []byte("hunter2")},
		},
		"what cannot be rendered is left out alone": {
			destinations: []Destination{judged("odi-system", "a", valid), gone},
			wantLanes:    []string{"odi-system/a"},
			wantLeftOut:  []string{"odi-system/gone"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			p, err := decide(Input{Namespace: "odi-system", Destinations: tc.destinations, Applied: appliedOf(t, tc.applied)})
			if err != nil {
				t.Fatal(err)
			}
			var lanes []string
			for i, want := range tc.wantLanes {
				if i < len(p.Lanes) && strings.Contains(want, " at ") {
					p.Lanes[i].Name += " at " + p.Lanes[i].Endpoint()
				}
			}
			lanes = append(lanes, p.names()...)
			if diff := cmp.Diff(tc.wantLanes, lanes, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("lanes (-want +got)\n%s", diff)
			}
			if len(tc.wantCredentials) > 0 || len(p.Credentials) > 0 {
				if diff := cmp.Diff(tc.wantCredentials, p.Credentials); diff != "" {
					t.Errorf("credentials (-want +got)\n%s", diff)
				}
			}
			for _, name := range tc.wantLeftOut {
				if p.LeftOut[name] == nil {
					t.Errorf("nothing is said of %s", name)
				}
			}
		})
	}
}

func TestAllObjects(t *testing.T) {
	secret := judged("odi-system", "one", valid)
	secret.Secrets = map[string]string{"header_value": "hunter2"}
	in := Input{
		Namespace:    "odi-system",
		Manager:      &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "odi-manager", UID: "uid-of-manager"}},
		Destinations: []Destination{secret},
	}
	p, err := decide(in)
	if err != nil {
		t.Fatal(err)
	}
	g, err := newGateway(in, p)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(g.config[0]+g.lanes[0], "hunter2") {
		t.Error("a secret is in the configuration")
	}
	var got strings.Builder
	for _, o := range objects(g) {
		text, err := yaml.Marshal(o.object)
		if err != nil {
			t.Fatal(err)
		}
		got.WriteString("---\n# " + o.name + "\n" + string(text))
	}
	const golden = "testdata/objects.yaml"
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestPodsAreTouchedAFewTimesPerVersion(t *testing.T) {
	tests := map[string]struct {
		have, want string
		wantPause  time.Duration
	}{
		"a new pod":         {"", "v2.1", 250 * time.Millisecond},
		"another version":   {"v1.5", "v2.1", 250 * time.Millisecond},
		"once touched":      {"v2.1", "v2.2", 500 * time.Millisecond},
		"touched again":     {"v2.3", "v2.4", 2 * time.Second},
		"the last touch":    {"v2.4", "v2.5", lookAgain},
		"touched enough":    {"v2.5", "", lookAgain},
		"someone else's":    {"v2.6", "v2.1", 250 * time.Millisecond},
		"a longer version":  {"v20.1", "v2.1", 250 * time.Millisecond},
		"a shorter version": {"v.1", "v2.1", 250 * time.Millisecond},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			touch, pause := nextTouch(tc.have, "v2")
			if touch != tc.want || pause != tc.wantPause {
				t.Errorf("got %q %v, want %q %v", touch, pause, tc.want, tc.wantPause)
			}
		})
	}
}
