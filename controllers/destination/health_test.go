package destination

import (
	"context"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSamplesAreReadFromTheCollectorsMetrics(t *testing.T) {
	file, err := os.Open("testdata/metrics.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }() // It is only read.
	got, err := samplesOf(file)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]sample{
		"odi-system/alive/4a4f6a6e-0000-4000-8000-000000000001": {generation: 2, beat: true, sent: 205000, damaged: 2},
		"odi-system/dead/4a4f6a6e-0000-4000-8000-000000000001": {
			generation: 1, beat: true, failed: 5000, queued: 200000,
			words: `rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:9: connect: connection refused"`,
		},
		"odi-system/log/4a4f6a6e-0000-4000-8000-000000000001": {sent: 205000},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(sample{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestTheLatestRefusalOfALaneIsFoundInTheLog(t *testing.T) {
	log := strings.Join([]string{
		`{"msg":"Exporting failed. Dropping data.","otelcol.component.id":"otlp_grpc/shop/a/uid","error":"first"}`,
		`{"msg":"Exporting failed. Dropping data.","otelcol.component.id":"otlp_grpc/shop/a/uid","error":"second"}`,
		`{"msg":"Exporting failed. Dropping data.","otelcol.component.id":"otlp_grpc/shop/b/uid","error":"another's"}`,
		`{"msg":"Exporting failed. Rejecting data. Try ...","otelcol.component.id":"otlp_grpc/_heartbeat/shop/a","error":"heartbeat"}`,
		`{"msg":"Exporting failed. Will retry the request after interval.","otelcol.component.id":"otlp_grpc/shop/a/uid","error":"a try"}`,
		`not JSON`,
	}, "\n")
	if got := lastRefusal(strings.NewReader(log), "shop/a/uid"); got != "second" {
		t.Errorf("got %q", got)
	}
	if got := lastRefusal(strings.NewReader(log), "shop/a/other"); got != "" {
		t.Errorf("got %q for a lane without refusals", got)
	}
}

type told string

func (w told) words(context.Context, string, string) (string, error) { return string(w), nil }

// TestTheObserver walks one lane through a life; each step is a look.
func TestTheObserver(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	o := newObserver(nil, "odi-system", nil, told("code = ResourceExhausted"))
	o.now = func() time.Time { return now }
	none := sample{queued: -1}
	steps := []struct {
		what string
		pods map[string]sample // one sample of the lane per pod
		want health
	}{
		{"no pod", nil, health{}},
		{"a pod that does not know it", map[string]sample{"p": none}, health{gateway: true}},
		{"a pod that has it as it was before", map[string]sample{"p": {generation: 2, beat: true}}, health{gateway: true, held: true, up: true}},
		{"a pod that has not tried", map[string]sample{"p": {generation: 3}}, health{gateway: true, known: true, held: true}},
		{"the first answer", map[string]sample{"p": {generation: 3, beat: true}}, health{gateway: true, known: true, held: true, up: true}},
		{"data flows", map[string]sample{"p": {generation: 3, beat: true, sent: 10}}, health{gateway: true, known: true, held: true, up: true, moving: true, sent: 10}},
		{"it rests", map[string]sample{"p": {generation: 3, beat: true, sent: 10}}, health{gateway: true, known: true, held: true, up: true, sent: 10}},
		{"a reload begins the counters anew", map[string]sample{"p": {generation: 3, beat: true, sent: 3}}, health{gateway: true, known: true, held: true, up: true, moving: true, sent: 13}},
		{"dead", map[string]sample{"p": {generation: 3, beat: true, sent: 3, words: "connection refused", queued: 5}}, health{gateway: true, known: true, held: true, down: true, words: "connection refused", sent: 13, queued: 5}},
		{"a second pod reaches it", map[string]sample{"p": {generation: 3, beat: true, sent: 3, words: "connection refused"}, "q": {generation: 3, beat: true, sent: 1}}, health{gateway: true, known: true, held: true, down: true, moving: true, words: "connection refused", sent: 14}},
		{"alive again", map[string]sample{"q": {generation: 3, beat: true, sent: 1}}, health{gateway: true, known: true, held: true, up: true, sent: 14}},
		{"files of its queue are damaged", map[string]sample{"q": {generation: 3, beat: true, sent: 1, damaged: 2}}, health{gateway: true, known: true, held: true, up: true, sent: 14, damaged: 2}},
		{"a reload counts damage anew", map[string]sample{"q": {generation: 3, beat: true, sent: 1}}, health{gateway: true, known: true, held: true, up: true, sent: 14, damaged: 2}},
		{"data is refused", map[string]sample{"q": {generation: 3, beat: true, sent: 1, failed: 2}}, health{gateway: true, known: true, held: true, up: true, refused: true, words: "it asks to send less, or takes no batch of this size (ResourceExhausted)", sent: 14, failed: 2, damaged: 2}},
	}
	for _, step := range steps {
		now = now.Add(observeEvery)
		pods := map[string]podSamples{}
		for name, s := range step.pods {
			pods[name] = podSamples{at: now, lanes: map[string]sample{}}
			if s != none {
				pods[name].lanes["shop/a/1"] = s
			}
		}
		for pod, refused := range o.record(pods) {
			for _, lane := range refused {
				o.learnWords(t.Context(), pod, lane)
			}
		}
		if diff := cmp.Diff(step.want, o.healthOf("shop/a/1", 3), cmp.AllowUnexported(health{})); diff != "" {
			t.Errorf("%s (-want +got)\n%s", step.what, diff)
		}
	}
	now = now.Add(refusedFor)
	if o.healthOf("shop/a/1", 3).refused {
		t.Error("a refusal of a minute ago is still in the condition")
	}
}

// TestTheObserverHurriesWhileSomebodyWaits: two looks soon, which nobody waits for otherwise.
func TestTheObserverHurriesWhileSomebodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newObserver(nil, "odi-system", nil, told(""))
		begin := time.Now()
		rested := func() time.Duration {
			start := time.Now()
			if !o.rest(t.Context()) {
				t.Fatal("the manager stopped")
			}
			return time.Since(start)
		}
		if got := rested(); got != observeEvery {
			t.Errorf("it rested %s, want %s", got, observeEvery)
		}
		go func() {
			time.Sleep(time.Second)
			o.await(begin.Add(observeEvery + 2*time.Second))
		}()
		for i, want := range []time.Duration{time.Second + lookSoon, lookSoon, observeEvery} {
			if got := rested(); got != want {
				t.Errorf("rest %d lasted %s, want %s", i, got, want)
			}
		}
	})
}

// TestNoWordOfABackendReachesAStatus: a server answers whoever names it with all that it knows.
func TestNoWordOfABackendReachesAStatus(t *testing.T) {
	o := newObserver(nil, "odi-system", nil, told("x"))
	const answer = `rpc error: code = NotFound desc = hunter2`
	o.pods = map[string]podSamples{"pod": {lanes: map[string]sample{"shop/a/1": {beat: true, words: answer}}}}
	if h := o.healthOf("shop/a/1", 1); !h.down || h.words == "" || strings.Contains(h.words, "hunter2") {
		t.Errorf("got %+v", h)
	}
}
