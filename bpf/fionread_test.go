package bpf_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/odi-dev/odi/bpf/probe"
)

// TestProgramsThatAskFIONREAD traces programs that ask how much there is before
// they read: none may wait in vain, and their requests carry the header too.
func TestProgramsThatAskFIONREAD(t *testing.T) {
	needRoot(t)
	for _, kind := range []string{"poll", "edge"} {
		t.Run(kind, func(t *testing.T) {
			base, pids := chain(t, kind, "direct")
			client := &http.Client{Timeout: 20 * time.Second}
			get(t, client, base+"/before") // leaves a connection open that is adopted
			r := record(t, pids...)
			for i := range 50 {
				get(t, client, fmt.Sprintf("%s/m%d?size=%d", base, i, 1<<(i%18)))
			}
			client.CloseIdleConnections()
			body := get(t, client, base+"/last") // on a new connection
			var last span
			for _, s := range r.waitFor(3 * 51) {
				if s.Kind == probe.Client && s.path == "/last" {
					last = s
				}
			}
			if want := fmt.Sprintf("[00-%x-%x-01]", last.TraceID, last.SpanID); !strings.Contains(body, want) {
				t.Errorf("the next hop saw %q, want %s", body, want)
			}
		})
	}
}

// TestReadsThatBeganBefore attaches to a program whose threads wait for answers
// and which asks FIONREAD: every answer arrives, and connections that stay open
// carry the header soon.
func TestReadsThatBeganBefore(t *testing.T) {
	needRoot(t)
	base, pids := chain(t, "java", "direct")
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	get(t, client, base+"/warm")
	var load sync.WaitGroup
	load.Go(func() {
		if err := fetch(client, base+"/slow?sleep=3s"); err != nil {
			t.Errorf("a request that was under way: %v", err)
		}
	})
	stop := make(chan struct{})
	for i := range 15 {
		load.Go(func() {
			for !closed(stop) {
				if err := fetch(client, fmt.Sprintf("%s/m%d", base, i)); err != nil {
					t.Errorf("a request under load: %v", err)
				}
			}
		})
	}
	time.Sleep(500 * time.Millisecond)
	r := record(t, pids...)
	time.Sleep(5 * time.Second)
	r.reset()
	time.Sleep(time.Second)
	asked, bare := 0, 0
	for _, s := range r.all() {
		if s.Kind == probe.Client {
			asked++
			if !s.Injected {
				bare++
			}
		}
	}
	close(stop)
	load.Wait()
	if asked == 0 || bare > 0 {
		t.Errorf("%d of %d requests went out without header", bare, asked)
	}
}
