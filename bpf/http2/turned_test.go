package http2_test

import (
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/bpf/http2"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/roomtest"
	"github.com/odi-dev/odi/internal/testkit/loopback"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// turning are servers that turn to HTTP/2 where they are asked to, with the path of a page.
var turning = map[string]struct{ kind, path string }{
	"Go":        {"x-serving", "/1/%s/"},
	"hypercorn": {"", "/200/"},
}

// TestTurned: a request of HTTP/1 whose answer turns its connection to HTTP/2 is one span on each
// side, as are those that follow; both sides' are one trace, and what a handler of Go's asks for
// is a child of it.
func TestTurned(t *testing.T) {
	bin := peer(t)
	next := "127.0.0.1:" + loopback.Port(t)
	started(t, program.Command(t, bin, "http-server", next))
	listens(t, next)
	p := &pairs{was: map[probe.Kind]map[string]probe.Exchange{}}
	f := &family{served: map[string]probe.Exchange{}, made: map[string]probe.Exchange{}}
	s := roomtest.Watch(t, http2.Protocol, func(x *probe.Exchange) {
		if x.Protocol == http2.Protocol.Code {
			p.add(x)
		} else if x.StatusCode == http.StatusSwitchingProtocols {
			t.Errorf("a span of HTTP/1: %s", x.RequestHead)
		}
		f.add(x)
	})
	for name, tc := range turning {
		t.Run(name, func(t *testing.T) {
			addr := "127.0.0.1:" + loopback.Port(t)
			server := program.Command(t, bin, tc.kind, addr, next)
			if tc.kind == "" {
				server = hypercorn.command(t, scripts, bin, addr)
			}
			s.Target(t, started(t, server))
			listens(t, addr)
			page := func(client string) string { return strings.Replace(tc.path, "%s", client, 1) }
			var all []*exec.Cmd
			var want []string
			for i := range 20 {
				for _, client := range []string{"curl -sS --http2 -o /dev/null", "nghttp -nu"} {
					path := fmt.Sprintf("%s%d", page(client[:4]), len(all))
					all = append(all, program.Command(t, "sh", "-c", fmt.Sprintf("read line; exec %s http://%s%s", client, addr, path)))
					want = append(want, fmt.Sprintf("GET %s 200", path))
				}
				if tc.kind != "" && i == 0 {
					all = append(all, program.Command(t, "java", filepath.Join(scripts, "Pages.java"), "http://"+addr+page("java"), "200", "10"))
				}
			}
			s.Reset()
			p.reset()
			for _, client := range all {
				asks(t, s, client)
			}
			if tc.kind != "" {
				for i := range 200 {
					want = append(want, fmt.Sprintf("GET %s%d 200", page("java"), i))
				}
			}
			counted := cmp.Transformer("sorted", func(all []string) map[string]int {
				counts := map[string]int{}
				for _, one := range all {
					counts[one]++
				}
				return counts
			})
			for _, kind := range []probe.Kind{probe.Client, probe.Server} {
				if diff := cmp.Diff(want, said(s, kind, sayPage), counted); diff != "" {
					t.Errorf("side %d; losses %v (-want +got):\n%.1500s", kind, s.Engine.Drops(), diff)
				}
			}
			joined, apart, wrong := p.judge()
			t.Logf("%d joined, %d apart, %d wrong; losses %v", joined, apart, wrong, s.Engine.Drops())
			if wrong > 0 || joined < len(want)*3/4 {
				t.Errorf("of %d pairs %d are one trace, %d are wrong", len(want), joined, wrong)
			}
		})
	}
	j := f.judge()
	t.Logf("what the handler asked for: %+v", j)
	if j.made < 240 || j.wrong > 0 || j.linked < j.made*95/100 || j.own < 10 {
		t.Errorf("of %d requests of the handler %d are linked, %d to the wrong one", j.made, j.linked, j.wrong)
	}
}
