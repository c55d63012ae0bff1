package red

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/odi-dev/odi/odiglet/identity"
)

func speaking(name, language string) pcommon.Resource {
	r := resource(name)
	if language != "" {
		r.Attributes().PutStr("telemetry.sdk.language", language)
	}
	return r
}

func TestAnotherResourceStartsAnotherStream(t *testing.T) {
	for name, tc := range map[string]struct {
		add  []pcommon.Resource
		want []string // language or version of each point, and its count
	}{
		"its language is found out late":       {[]pcommon.Resource{speaking("a", ""), speaking("a", "python")}, []string{"a  1", "a python 1"}},
		"a helper of it speaks another one":    {[]pcommon.Resource{speaking("a", "python"), speaking("a", ""), speaking("a", "nodejs")}, []string{"a python 3"}},
		"a wrapper of it was seen first":       {[]pcommon.Resource{speaking("a", "c"), speaking("a", "python"), speaking("a", "c")}, []string{"a c 1", "a python 2"}},
		"its resource changes":                 {[]pcommon.Resource{speaking("a", "python"), speaking("b", "python")}, []string{"a python 1", "b python 1"}},
		"its resource changes there and back":  {[]pcommon.Resource{speaking("a", "go"), speaking("b", "go"), speaking("a", "go")}, []string{"b go 1", "a go 2"}},
		"it is the same, and is said to be so": {[]pcommon.Resource{speaking("a", "go"), speaking("a", "go")}, []string{"a go 2"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := NewRecorder(noon)
			for _, res := range tc.add {
				r.Add(key("x"), res)
				r.Record(key("x"), get())
			}
			var got []string
			for _, p := range samples(r.Collect(noon.Add(time.Second))) {
				got = append(got, fmt.Sprint(p.service, " ", p.language, " ", p.count))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("points (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAProcessBecomesAnotherProgram(t *testing.T) {
	r := NewRecorder(noon)
	r.Add(key("x"), speaking("a", "go")) // a wrapper
	r.Record(key("x"), get())
	r.Replace(key("x"), speaking("a", "go"), speaking("a", "python"))
	r.Record(key("x"), get())
	r.Replace(key("x"), speaking("a", "c"), speaking("a", "go")) // a helper
	r.Record(key("x"), get())
	var got []string
	for _, p := range samples(r.Collect(noon)) {
		got = append(got, fmt.Sprint(p.language, " ", p.count))
	}
	if diff := cmp.Diff([]string{"go 1", "python 2"}, got); diff != "" {
		t.Errorf("points (-want +got):\n%s", diff)
	}
}

func TestARestartedContainerStartsAnew(t *testing.T) {
	r := NewRecorder(noon)
	begin := func(at time.Time, n int) sample {
		r.Add(key("a"), resource("cart"))
		for range n {
			r.Record(key("a"), get())
		}
		r.Forget(key("a"))
		return samples(r.Collect(at))[0]
	}
	first, second := begin(noon.Add(10*time.Second), 5), begin(noon.Add(20*time.Second), 2)
	if first.start != noon || second.start != noon.Add(10*time.Second) || second.count != 2 {
		t.Errorf("first %+v, second %+v", first, second)
	}
	// The clock was set back.
	third := begin(noon, 1)
	if !third.start.After(second.start) || third.at.Before(third.start) {
		t.Errorf("third %+v after %+v", third, second)
	}
}

// sample is a data point of these tests.
type sample struct {
	service, language, series string
	start, at                 time.Time
	count                     uint64
}

// stream is all that must not go down under one of it.
func (s sample) stream() string {
	return fmt.Sprint(s.service, " ", s.language, " ", s.series, " ", s.start.UnixNano())
}

func samples(md pmetric.Metrics) []sample {
	var all []sample
	for _, rm := range md.ResourceMetrics().All() {
		attributes := rm.Resource().Attributes().AsRaw()
		service, _ := attributes["service.name"].(string)
		language, _ := attributes["telemetry.sdk.language"].(string)
		for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			for _, p := range m.Histogram().DataPoints().All() {
				all = append(all, sample{
					service: service, language: language, series: fmt.Sprint(m.Name(), p.Attributes().AsRaw()),
					start: p.StartTimestamp().AsTime(), at: p.Timestamp().AsTime(), count: p.Count(),
				})
			}
		}
	}
	return all
}

// TestSumsNeverGoDown plays random lives of instances: whatever comes and goes,
// a sum does not go down under one resource and start time, no stream is written
// twice in a collection, and no request is counted twice or lost.
func TestSumsNeverGoDown(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 300 {
		r, now := NewRecorder(noon), noon
		last := map[string]sample{}
		known := map[identity.Key]bool{}
		var recorded uint64
		collect := func() {
			now = now.Add(time.Duration(rng.IntN(1000)+1) * time.Millisecond)
			once := map[string]bool{}
			for _, s := range samples(r.Collect(now)) {
				before := last[s.stream()]
				if once[s.stream()] || s.count < before.count || s.at.Before(before.at) || s.at.Before(s.start) {
					t.Fatalf("seed %d: %+v after %+v, twice: %v", seed, s, before, once[s.stream()])
				}
				once[s.stream()], last[s.stream()] = true, s
			}
		}
		for range 100 {
			of := key(string(rune('a' + rng.IntN(3))))
			some := func() pcommon.Resource {
				return speaking(of.Name+fmt.Sprint(rng.IntN(2)), []string{"", "go", "java", "c"}[rng.IntN(4)])
			}
			switch rng.IntN(6) {
			case 0:
				r.Add(of, some())
				known[of] = true
			case 3:
				r.Replace(of, some(), some())
				known[of] = true
			case 1:
				r.Forget(of)
			case 2:
				collect()
				for k := range known {
					known[k] = r.streams[k] != nil
				}
			default:
				r.Record(of, took(time.Millisecond, served, "http.response.status_code", 200+rng.IntN(2)))
				if known[of] {
					recorded++
				}
			}
		}
		collect()
		var counted uint64
		for _, s := range last {
			counted += s.count
		}
		if counted != recorded {
			t.Fatalf("seed %d: %d requests counted, %d recorded", seed, counted, recorded)
		}
	}
}
