package destination

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/destinations"
	"github.com/odi-dev/odi/internal/collectorconfig"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// given builds an Input as gather does, from a type and its fields.
func given(t *testing.T, namespace, kind string, config map[string]string, change func(*Input)) Input {
	t.Helper()
	d := &odiv1.Destination{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "d"},
		Spec:       odiv1.DestinationSpec{Type: kind, Config: config},
	}
	in := Input{Destination: d, Now: noon, Most: mostPerNamespace}
	in.Lane, in.Problem = collectorconfig.LaneOf(d, "odi-system", nil)
	if change != nil {
		change(&in)
	}
	return in
}

func TestReady(t *testing.T) {
	jaeger := map[string]string{"endpoint": "http://jaeger.observability:4317"}
	_, unknown := destinations.Get("jaguar")
	tests := map[string]struct {
		namespace, kind string
		config          map[string]string
		change          func(*Input)
		want            verdict
	}{
		"a valid one says what goes where": {
			namespace: "odi-system", kind: "jaeger", config: jaeger,
			want: yes("Accepted", "Takes traces of all namespaces to http://jaeger.observability:4317."),
		},
		"a tenant's says whose data it gets": {
			namespace: "shop", kind: "jaeger", config: jaeger,
			want: yes("Accepted", "Takes traces of namespace shop to http://jaeger.observability:4317."),
		},
		"debug goes to the log": {
			namespace: "odi-system", kind: "debug",
			want: yes("Accepted", "Takes traces, metrics, logs of all namespaces to the gateway's log."),
		},
		"an unknown type has a similar one": {
			namespace: "odi-system", kind: "jaguar",
			want: no("UnknownType", "The spec is not valid. type: "+unknown.Error()+"."),
		},
		"a wrong field is named": {
			namespace: "odi-system", kind: "debug", config: map[string]string{"verbose": "yes"},
			want: no("InvalidConfig", "The spec is not valid. verbose: unknown field of type debug; valid fields: verbosity."),
		},
		"the Secret is missing": {
			namespace: "shop", kind: "jaeger", config: jaeger,
			change: func(in *Input) {
				in.Destination.Spec.SecretRef = &odiv1.SecretReference{Name: "keys"}
				in.SecretMissing = true
			},
			want: no("SecretMissing", "There is no Secret keys in namespace shop (secretRef.name)."),
		},
		"the collector's words are kept": {
			namespace: "odi-system", kind: "jaeger", config: jaeger,
			change: func(in *Input) { in.Refusal = `invalid port "x"` },
			want:   no("InvalidConfig", `The collector refuses it: invalid port "x".`),
		},
		"the collector could not be asked": {
			namespace: "odi-system", kind: "jaeger", config: jaeger,
			change: func(in *Input) { in.Unasked = errors.New("no such file") },
			want:   maybe("NotValidated", "It could not be judged: no such file."),
		},
		"the Secret may not be used": {
			namespace: "shop", kind: "jaeger", config: jaeger,
			change: func(in *Input) { in.SecretRefused = "the Secret keys is of type helm.sh/release.v1" },
			want:   no("SecretRefused", "The spec is not valid. secretRef.name: the Secret keys is of type helm.sh/release.v1."),
		},
		"one more than a namespace may have": {
			namespace: "shop", kind: "jaeger", config: jaeger,
			change: func(in *Input) { in.Rank = mostPerNamespace },
			want: no("TooMany", "metadata.namespace: shop has more than 20 Destinations; the oldest are used. "+
				"Delete one of them, or this."),
		},
		"switched off": {
			namespace: "odi-system", kind: "jaeger", config: jaeger,
			change: func(in *Input) { in.Destination.Spec.Disabled = true },
			want:   yes("Accepted", "Valid, and switched off by spec.disabled."),
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := decide(given(t, tc.namespace, tc.kind, tc.config, tc.change)).ready
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(verdict{})); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestExporting(t *testing.T) {
	const refused = "connection refused"
	tests := map[string]struct {
		kind   string // jaeger when empty
		health health
		sent   int64
		off    bool
		broken bool
		want   verdict
	}{
		"no gateway yet": {
			want: maybe("GatewayNotReady", "No pod of the gateway answers."),
		},
		"the gateway does not know it yet": {
			health: health{gateway: true},
			want:   maybe("GatewayNotReady", "The gateway has not got its configuration yet."),
		},
		"the gateway has not tried yet": {
			health: health{gateway: true, known: true},
			want:   maybe("BackendNotReached", "The gateway has not reached the backend yet."),
		},
		"the backend answers, nothing sent": {
			health: health{gateway: true, known: true, up: true},
			want:   yes("NoData", "The backend answers; no data has come yet."),
		},
		"data flows": {
			health: health{gateway: true, known: true, up: true, moving: true}, sent: 7,
			want: yes("Exporting", "The backend takes the data."),
		},
		"the backend is dead": {
			health: health{gateway: true, known: true, down: true, words: refused}, sent: 7,
			want: no("ExportFailing", "Sending fails: connection refused."),
		},
		"the backend is dead and data waits": {
			health: health{gateway: true, known: true, down: true, words: refused, queued: 3},
			want:   no("ExportFailing", "Sending fails: connection refused. Data waits in the queue."),
		},
		"the heartbeat is refused but data is taken": {
			health: health{gateway: true, known: true, down: true, words: "empty request", moving: true}, sent: 7,
			want: yes("Exporting", "The backend takes the data."),
		},
		"data is refused for good": {
			health: health{gateway: true, known: true, up: true, refused: true, words: "PermissionDenied"}, sent: 7,
			want: no("ExportFailing", "Sending fails: PermissionDenied."),
		},
		"data is refused without words": {
			health: health{gateway: true, known: true, up: true, refused: true},
			want:   no("ExportFailing", "The backend refuses data, or its queue is full; the gateway's log has more."),
		},
		"files of its queue were damaged": {
			health: health{gateway: true, known: true, up: true, moving: true, damaged: 2}, sent: 7,
			want: yes("Exporting", "The backend takes the data. Files of its queue were damaged and set aside: 2."),
		},
		"a log needs no heartbeat": {
			kind: "debug", health: health{gateway: true, known: true},
			want: yes("NoData", "The backend answers; no data has come yet."),
		},
		"switched off": {
			off: true, health: health{gateway: true, known: true, up: true},
			want: no("Disabled", "Switched off by spec.disabled."),
		},
		"switched off, and the gateway does not know yet": {
			off: true, health: health{gateway: true, up: true, held: true},
			want: maybe("GatewayNotReady", "Switched off by spec.disabled; the gateway has not let go of it yet."),
		},
		"not Ready, and the gateway does not know yet": {
			broken: true, health: health{gateway: true, up: true, held: true},
			want: maybe("GatewayNotReady", "It is not Ready; the gateway has not let go of it yet."),
		},
		"not Ready": {
			broken: true, health: health{gateway: true, known: true, up: true},
			want: no("NotReady", "Nothing is sent until the destination is Ready."),
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			kind, config := "jaeger", map[string]string{"endpoint": "http://jaeger:4317"}
			if tc.kind != "" {
				kind, config = tc.kind, nil
			}
			in := given(t, "odi-system", kind, config, func(in *Input) {
				in.Health, in.Counted.sent = tc.health, tc.sent
				in.Destination.Spec.Disabled = tc.off
				if tc.broken {
					in.Refusal = "no"
				}
			})
			got := decide(in).exporting
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(verdict{})); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestTheLastErrorStaysWhenAllIsWellAgain(t *testing.T) {
	in := given(t, "odi-system", "debug", nil, func(in *Input) { in.Destination.Status.LastError = "it was down" })
	if got := decide(in).lastError; got != "it was down" {
		t.Errorf("got %q", got)
	}
	in.Health.known, in.Health.words = true, strings.Repeat("é", 1000)
	if got := decide(in).lastError; len(got) > longestMessage || !strings.HasSuffix(got, "é...") {
		t.Errorf("got %d bytes: %s", len(got), got)
	}
}

// TestPassingTroubleKeepsALaneThatWorked for some minutes, and says since when.
func TestPassingTroubleKeepsALaneThatWorked(t *testing.T) {
	ready := func(status metav1.ConditionStatus, reason string, since time.Time) []metav1.Condition {
		return []metav1.Condition{{Type: odiv1.ConditionReady, Status: status, Reason: reason, LastTransitionTime: metav1.NewTime(since)}}
	}
	missing := func(in *Input) {
		in.Destination.Spec.SecretRef, in.SecretMissing = &odiv1.SecretReference{Name: "keys"}, true
	}
	unasked := func(in *Input) { in.Unasked = errors.New("signal: killed") }
	const gone = "There is no Secret keys in namespace shop (secretRef.name)."
	tests := map[string]struct {
		before  []metav1.Condition
		trouble func(*Input)
		want    verdict
	}{
		"the Secret is replaced": {ready(metav1.ConditionTrue, "Accepted", noon.Add(-time.Hour)), missing,
			maybe("Kept", "Since 12:00:00 UTC: "+gone+" What was configured before goes on until 12:05:00 UTC.")},
		"it is away for a while": {ready(metav1.ConditionUnknown, "Kept", noon.Add(-4*time.Minute)), missing,
			maybe("Kept", "Since 11:56:00 UTC: "+gone+" What was configured before goes on until 12:01:00 UTC.")},
		"it is away for good":   {ready(metav1.ConditionUnknown, "Kept", noon.Add(-6*time.Minute)), missing, no("SecretMissing", gone)},
		"it is away since long": {ready(metav1.ConditionFalse, "SecretMissing", noon.Add(-time.Hour)), missing, no("SecretMissing", gone)},
		"it never worked":       {nil, missing, no("SecretMissing", gone)},
		"it was never judged":   {ready(metav1.ConditionUnknown, "NotValidated", noon), missing, no("SecretMissing", gone)},
		"the validator is killed": {ready(metav1.ConditionTrue, "Accepted", noon), unasked,
			maybe("Kept", "Since 12:00:00 UTC: It could not be judged: signal: killed. What was configured before goes on until 12:05:00 UTC.")},
		"the validator is killed each time": {ready(metav1.ConditionUnknown, "Kept", noon.Add(-6*time.Minute)), unasked,
			no("NotValidated", "It could not be judged: signal: killed.")},
		"the validator is killed at first": {nil, unasked, maybe("NotValidated", "It could not be judged: signal: killed.")},
		"something else is wrong": {ready(metav1.ConditionTrue, "Accepted", noon), func(in *Input) { in.Refusal = "no" },
			no("InvalidConfig", "The collector refuses it: no.")},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			in := given(t, "shop", "jaeger", map[string]string{"endpoint": "http://jaeger:4317"}, tc.trouble)
			in.Destination.Status.Conditions, in.Destination.Status.Signals = tc.before, []odiv1.Signal{odiv1.SignalTraces}
			in.Health = health{gateway: true, known: true, up: true}
			o := decide(in)
			if diff := cmp.Diff(tc.want, o.ready, cmp.AllowUnexported(verdict{})); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if kept := o.exporting.reason == odiv1.ReasonNoData; kept != (tc.want.reason == "Kept") {
				t.Errorf("exporting is %v", o.exporting)
			}
		})
	}
}

// TestWhoWaitsHasNotFailed: kstatus, and with it Flux, takes Stalled for a failure and Reconciling for patience.
func TestWhoWaitsHasNotFailed(t *testing.T) {
	for name, tc := range map[string]struct {
		ready                      verdict
		exporting                  verdict
		wantReconciling, wantStall metav1.ConditionStatus
	}{
		"it works":                   {yes("Accepted", ""), yes("Exporting", ""), "False", "False"},
		"no data has come":           {yes("Accepted", ""), yes("NoData", ""), "False", "False"},
		"its Secret is not there":    {no("SecretMissing", ""), no("NotReady", ""), "True", "False"},
		"the gateway is not there":   {yes("Accepted", ""), maybe("GatewayNotReady", ""), "True", "False"},
		"it was not judged yet":      {maybe("NotValidated", ""), no("NotReady", ""), "True", "False"},
		"its spec is wrong":          {no("InvalidConfig", ""), no("NotReady", ""), "False", "True"},
		"a newer odi knows its type": {no("UnknownType", ""), no("NotReady", ""), "False", "True"},
		"there are too many":         {no("TooMany", ""), no("NotReady", ""), "False", "True"},
	} {
		t.Run(name, func(t *testing.T) {
			all := conditions(&odiv1.Destination{}, outcome{ready: tc.ready, exporting: tc.exporting})
			reconciling := meta.FindStatusCondition(all, odiv1.ConditionReconciling).Status
			stalled := meta.FindStatusCondition(all, odiv1.ConditionStalled).Status
			if reconciling != tc.wantReconciling || stalled != tc.wantStall {
				t.Errorf("Reconciling is %s and Stalled %s, want %s and %s", reconciling, stalled, tc.wantReconciling, tc.wantStall)
			}
		})
	}
}
