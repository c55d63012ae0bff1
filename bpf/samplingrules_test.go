package bpf_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/roomtest"
	"github.com/odi-dev/odi/internal/testkit/loopback"
)

// ruled returns a sampling with rules, whose ratio is the share of what no rule fits.
func ruled(t *testing.T, ratio float64, rules ...probe.Rule) probe.Sampling {
	t.Helper()
	s, err := probe.SampleRatio(ratio).WithRules(rules)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// sampleTargets adds the processes again, with their sampling.
func (r *recorder) sampleTargets(t *testing.T, sampling probe.Sampling, pids ...uint32) {
	t.Helper()
	for _, pid := range pids {
		if err := r.engine.AddTarget(probe.Target{PID: pid, Propagate: true, Children: true, Sampling: sampling}); err != nil {
			t.Fatal(err)
		}
	}
}

// shareOf is what the rules say of a request, as the API describes it; otherwise where none fits.
func shareOf(rules []probe.Rule, otherwise, method, target string) string {
	path, _, _ := strings.Cut(target, "?")
	for _, r := range rules {
		prefix, star := strings.CutSuffix(r.Path, "*")
		if (r.Method == "" || r.Method == method) && (path == r.Path || star && strings.HasPrefix(path, prefix)) {
			return r.Ratio
		}
	}
	return otherwise
}

// TestRulesSampleTracesWhole sends requests through nginx and two servers in Go: what a rule fits goes by its share, the
// others by the process's, and each trace is recorded at every hop or at none.
func TestRulesSampleTracesWhole(t *testing.T) {
	needRoot(t)
	base, pids := chain(t, "nginx", "direct", "direct")
	get(t, http.DefaultClient, base+"/before")
	r := record(t, pids...)
	rules := []probe.Rule{{Path: "/none/*", Ratio: "0"}, {Path: "/all/*", Ratio: "1"}, {Path: "/half/*", Ratio: "0.5"}}
	r.sampleTargets(t, ruled(t, 0.1, rules...), pids...)
	const perTrace = 5
	const habit = 100 // until nginx is trusted
	for i := range habit {
		get(t, http.DefaultClient, fmt.Sprintf("%s/habit%d", base, i))
	}
	r.waitFor(habit * perTrace)
	r.reset()
	const each = 200
	kinds := map[string]float64{"none": 0, "all": 1, "half": 0.5, "other": 0.1}
	for i := range each {
		for kind := range kinds {
			get(t, http.DefaultClient, fmt.Sprintf("%s/%s/%d", base, kind, i))
		}
	}
	traces := map[[16]byte][]span{}
	for _, s := range r.waitFor(len(kinds) * each * perTrace) {
		traces[s.TraceID] = append(traces[s.TraceID], s)
	}
	if len(traces) != len(kinds)*each {
		t.Errorf("%d traces of %d requests", len(traces), len(kinds)*each)
	}
	recorded := map[string]int{}
	for id, spans := range traces {
		kind := strings.Split(spans[0].path, "/")[1]
		want := probe.SampleRatio(kinds[kind]).Records(id)
		if want {
			recorded[kind]++
		}
		if len(spans) != perTrace {
			t.Errorf("%d spans of a trace instead of %d", len(spans), perTrace)
		}
		for _, s := range spans {
			if got := s.TraceFlags&probe.Sampled != 0; got != want {
				t.Errorf("%s in %x: recorded %v by process %d (%v), want %v", s.path, id, got, s.PID, s.Link, want)
			}
		}
	}
	t.Logf("of %d traces each are recorded: %v", each, recorded)
	if recorded["none"] != 0 || recorded["all"] != each || recorded["half"] < 60 || recorded["half"] > 140 || recorded["other"] > 50 {
		t.Errorf("recorded are %v", recorded)
	}
}

// wholly are rules that leave nothing to chance, with paths of every length that words are compared by.
func wholly() []probe.Rule {
	rules := []probe.Rule{
		{Path: "/healthz", Ratio: "0"},
		{Method: "POST", Path: "/orders/*", Ratio: "1"},
		{Path: "/orders/*", Ratio: "0"},
		{Method: "OPTIONS", Path: "/*", Ratio: "0"},
		{Path: "/a", Ratio: "0"},
		{Path: "/orders", Ratio: "0"},
	}
	for _, n := range []int{7, 8, 9, 15, 16, 17, 64, 127, 128} {
		rules = append(rules, probe.Rule{Path: "/" + strings.Repeat("p", n-1), Ratio: "0"})
	}
	return append(rules, probe.Rule{Path: "/" + strings.Repeat("q", 127) + "*", Ratio: "0"})
}

// aTarget makes one that is near to what the rules say.
func aTarget(rules []probe.Rule) string {
	path, star := strings.CutSuffix(rules[rand.IntN(len(rules))].Path, "*")
	switch rand.IntN(5) {
	case 0:
		path += "x"
	case 1:
		path += "?page=1"
	case 2:
		path = path[:1+rand.IntN(len(path))]
	case 3:
		at := rand.IntN(len(path))
		if at > 0 {
			path = path[:at] + "!" + path[at+1:]
		}
	}
	if star {
		path += fmt.Sprint(rand.IntN(100))
	}
	return path
}

// TestRulesFitWhatTheyName compares what the kernel says of requests with what the rules say, one by one, pipelined, behind
// empty lines and with targets as proxies get them.
func TestRulesFitWhatTheyName(t *testing.T) {
	needRoot(t)
	base, pids := chain(t, "nginx", "direct")
	pids = pids[1:] // the nginx alone: it takes what Go's server refuses
	rules := wholly()
	r := record(t)
	r.sampleTargets(t, ruled(t, 1, rules...), pids...)
	address := strings.TrimPrefix(base, "http://")
	methods := []string{"GET", "POST", "PUT", "OPTIONS", "PATCH", "GETX"}
	total, wants := 0, map[string]string{}
	send := func(t *testing.T, n, width int) {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		answers := bufio.NewReader(c)
		for range n {
			var out strings.Builder
			for range width {
				method, target := methods[rand.IntN(len(methods))], aTarget(rules)
				mark := fmt.Sprintf("mark-%d", total)
				wants[mark] = shareOf(rules, "1", method, target)
				total++
				if rand.IntN(8) == 0 {
					out.WriteString("\r\n")
				}
				if rand.IntN(8) == 0 {
					target = "http://shop.example:8080" + target
				}
				fmt.Fprintf(&out, "%s %s HTTP/1.1\r\nHost: x\r\nUser-Agent: %s\r\nContent-Length: 0\r\n\r\n", method, target, mark)
			}
			if _, err := io.WriteString(c, out.String()); err != nil {
				t.Fatal(err)
			}
			for range width {
				answer, err := http.ReadResponse(answers, nil)
				if err != nil {
					t.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, answer.Body)
				_ = answer.Body.Close()
			}
		}
	}
	send(t, 600, 1)
	send(t, 60, 10)
	send(t, 10, 50)
	seen, left := 0, 0
	for _, s := range r.waitFor(2 * total) {
		if s.Kind != probe.Server {
			continue
		}
		_, mark, _ := strings.Cut(string(s.RequestHead), "User-Agent: ")
		mark, _, _ = strings.Cut(mark, "\r\n")
		want, ok := wants[mark]
		if !ok {
			t.Fatalf("nobody sent %q", s.RequestHead)
		}
		seen++
		got := "0"
		if s.TraceFlags&probe.Sampled != 0 {
			got = "1"
		} else {
			left++
		}
		if got != want {
			t.Errorf("%q: recorded %s, want %s", strings.SplitN(string(s.RequestHead), "Host", 2)[0], got, want)
		}
	}
	t.Logf("%d of %d requests seen, %d are left out by a rule", seen, total, left)
	if seen != total || left < total/4 || left == total {
		t.Errorf("%d of %d requests seen, %d left out", seen, total, left)
	}
}

// TestRulesAreChanged gives a process one set of rules after the other, and none at last: what it begins
// goes by the last ones.
func TestRulesAreChanged(t *testing.T) {
	needRoot(t)
	base, pids := chain(t, "direct")
	r := record(t)
	for i := range 20 {
		rules := []probe.Rule{{Path: fmt.Sprintf("/only%d", i), Ratio: "0"}}
		r.sampleTargets(t, ruled(t, 1, rules...), pids...)
		for k := range 3 {
			get(t, http.DefaultClient, fmt.Sprintf("%s/only%d", base, i-1+k))
		}
		for _, s := range r.waitFor(3) {
			if got, want := s.TraceFlags&probe.Sampled == 0, s.path == rules[0].Path; got != want {
				t.Errorf("%s is left out: %v, by %v", s.path, got, rules)
			}
		}
		r.reset()
	}
	r.sampleTargets(t, probe.SampleRatio(1), pids...)
	get(t, http.DefaultClient, base+"/only19")
	if s := r.waitFor(1); len(s) != 1 || s[0].TraceFlags&probe.Sampled == 0 {
		t.Errorf("without rules: %v", s)
	}
}

// leftOut checks that what is not recorded is what was asked for below /none/.
func leftOut(t *testing.T, spans []span, each int) {
	t.Helper()
	count := map[bool]int{}
	for _, s := range spans {
		none := strings.HasPrefix(s.path, "/none/")
		count[none]++
		if left := s.TraceFlags&probe.Sampled == 0; left != none {
			t.Errorf("%s is left out: %v (%v, TLS %v)", s.path, left, s.Link, s.TLS)
		}
	}
	if count[true] != each || count[false] != each {
		t.Errorf("seen are %v, want %d each", count, each)
	}
}

// TestRulesOfClients: a client that nobody has asked begins the trace, and its server keeps to that.
func TestRulesOfClients(t *testing.T) {
	needRoot(t)
	base, pids := chain(t, "python")
	client, finish := startCurl(t, base+"/none/[1-20]", base+"/all/[1-20]")
	r := record(t, pids...)
	r.sampleTargets(t, ruled(t, 1, probe.Rule{Path: "/none/*", Ratio: "0"}), client)
	finish()
	leftOut(t, r.waitFor(80), 40)
}

// TestRulesOverTLS: what is encrypted goes by the same rules, at either end, which begins a trace there.
func TestRulesOverTLS(t *testing.T) {
	needRoot(t)
	cert, key := roomtest.Certificate(t)
	addr := loopback.Address(t)
	server := start(t, addr, "python3", "testdata/tlshop.py", addr, "-", cert, key)
	client, finish := startCurl(t, "--cacert", cert, "https://"+addr+"/none/[1-20]", "https://"+addr+"/all/[1-20]")
	r := record(t)
	r.sampleTargets(t, ruled(t, 1, probe.Rule{Path: "/none/*", Ratio: "0"}), server, client)
	roomtest.AwaitTLS(t, r.engine, server, client)
	finish()
	leftOut(t, r.waitFor(80), 40)
}
