package main

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/odi-dev/odi/internal/testkit/program"
)

// server is an application that no agent sees.
func server(t *testing.T) application {
	t.Helper()
	dir := t.TempDir()
	return application{
		language: "python", what: "http.server", path: "/", warm: 20,
		command: func(_ application, port string) *exec.Cmd {
			cmd := program.Command(t, "python3", "-m", "http.server", "--bind", "127.0.0.1", port)
			cmd.Dir, cmd.Env = dir, nil
			return cmd
		},
		env: func(application, string) []string { return nil },
	}
}

func TestAnApplicationIsMeasured(t *testing.T) {
	b := &bench{window: 100 * time.Millisecond, rounds: 1}
	p, err := b.priceOf(server(t), without)
	if err != nil {
		t.Fatal(err)
	}
	if p.ready <= 0 || p.ready > 30 || p.request <= 0 || p.request > 1e6 || p.mib < 5 || p.mib > 500 || p.beside != 0 {
		t.Errorf("a server of Python costs %+v", p)
	}
}

func TestAnAgentThatSendsNothingIsNoMeasurement(t *testing.T) {
	b := &bench{window: 50 * time.Millisecond, rounds: 1}
	if p, err := b.priceOf(server(t), agent); err == nil || !strings.Contains(err.Error(), "no spans came") {
		t.Errorf("got %+v, %v", p, err)
	}
}

func TestAnAgentThatCostsMuchMoreThanThePlainOneFails(t *testing.T) {
	prices := func(ofAgent float64) map[string][]price {
		all := map[string][]price{}
		for _, way := range ways {
			all[way] = []price{{1, 100, 0, 50}, {2, 200, 0, 60}, {9, 900, 0, 990}}
			if way == agent {
				for i := range all[way] {
					all[way][i].request = ofAgent
				}
			}
		}
		return all
	}
	for limit, want := range map[float64]string{200: "", 200 * times: "", 300: "python_request_cpu_us_to_plain is 1.5 times, the limit is 1.3"} {
		b := &bench{}
		b.report(application{language: "python", what: "one"}, prices(limit))
		err := check(b.figures)
		if want == "" && err != nil || want != "" && (err == nil || err.Error() != want) {
			t.Errorf("with %v us: got %v, want %q", limit, err, want)
		}
	}
}
