package run

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/streams"
	"github.com/odi-dev/odi/internal/testkit"
)

// TestSample records half of the traces, and those that come with a parent as the parent says.
func TestSample(t *testing.T) {
	testkit.NeedRoot(t)
	address, pid := startServer(t, named(t, "odi-test-sampled"))
	o := startODI(t, nil, "--pid", fmt.Sprint(pid), "-o", "none", "--sample", "0.5")
	o.says("tracing odi-test-sampled")
	ask := func(traceparent string) {
		r, err := http.NewRequest(http.MethodGet, "http://"+address, nil)
		if err != nil {
			t.Fatal(err)
		}
		if traceparent != "" {
			r.Header.Set("Traceparent", traceparent)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
	}
	const each = 200
	for i := range each {
		ask(fmt.Sprintf("00-%032x-00000000000000aa-00", i+1))
		ask(fmt.Sprintf("00-%032x-00000000000000aa-01", i+1))
		ask("")
	}
	o.interrupt()
	lines := strings.Split(strings.TrimSpace(o.err.String()), "\n")
	var seen, sent, dropped, notSampled int
	if _, err := fmt.Sscanf(lines[len(lines)-1], "seen %d = sent %d + dropped %d (not_sampled %d)", &seen, &sent, &dropped, &notSampled); err != nil {
		t.Fatalf("%v\n%s", err, o.err.String())
	}
	if seen != 3*each || notSampled != dropped || sent < 3*each/2-40 || sent > 3*each/2+40 {
		t.Errorf("seen %d, sent %d, not sampled %d", seen, sent, notSampled)
	}
}

// TestSampleByRule records no trace but those that a rule names.
func TestSampleByRule(t *testing.T) {
	testkit.NeedRoot(t)
	address, pid := startServer(t, named(t, "odi-test-ruled"))
	o := startODI(t, nil, "--pid", fmt.Sprint(pid), "-o", "none", "--sample", "0", "--sample-rule", "/orders/new=0", "--sample-rule", "GET /orders/*=1")
	o.says("tracing odi-test-ruled")
	const each = 20
	for i := range each {
		for _, path := range []string{"/orders/new", fmt.Sprintf("/orders/%d?page=2", i), "/healthz"} {
			answer, err := http.Get("http://" + address + path)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, answer.Body)
			_ = answer.Body.Close()
		}
	}
	o.interrupt()
	if want := fmt.Sprintf("seen %d = sent %d + dropped %d (not_sampled %[3]d)", 3*each, each, 2*each); !strings.Contains(o.err.String(), want) {
		t.Errorf("want %s\n%s", want, o.err.String())
	}
}

func TestARuleThatIsNoneIsRefused(t *testing.T) {
	cmd := New(streams.Streams{Out: io.Discard, Err: io.Discard})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs([]string{"--exe", "x", "--sample-rule", "healthz=0"})
	if err := cmd.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), `"healthz" is no path`) {
		t.Errorf("%v", err)
	}
}

func TestAShareThatIsNoneIsRefused(t *testing.T) {
	cmd := New(streams.Streams{Out: io.Discard, Err: io.Discard})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs([]string{"--exe", "x", "--sample", "10%"})
	err := cmd.ExecuteContext(t.Context())
	if exit.Code(err) != exit.Usage || !strings.Contains(fmt.Sprint(err), `--sample: "10%" is no share`) {
		t.Errorf("exit code %d: %v", exit.Code(err), err)
	}
}
