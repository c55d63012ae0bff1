package spans

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/odi-dev/odi/internal/loss"
	"github.com/odi-dev/odi/odiglet/books"
	"github.com/odi-dev/odi/odiglet/export"
	"github.com/odi-dev/odi/odiglet/identity"
	"github.com/odi-dev/odi/odiglet/red"
	"github.com/odi-dev/odi/odiglet/routes"
	"github.com/odi-dev/odi/odiglet/signal"
)

// backend is a receiver that remembers the paths that it was told, by service.
type backend struct {
	pause time.Duration // for each batch

	mu    sync.Mutex
	paths map[string]map[string]int
}

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	td, err := signal.ReadTraces(signal.Batch{Body: body})
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	time.Sleep(b.pause)
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, rs := range td.ResourceSpans().All() {
		name, _ := rs.Resource().Attributes().Get("service.name")
		of, ok := b.paths[name.Str()]
		if !ok {
			of = map[string]int{}
			b.paths[name.Str()] = of
		}
		rs.ScopeSpans().At(0).Spans().RemoveIf(func(s ptrace.Span) bool {
			path, _ := s.Attributes().Get("url.path")
			of[path.Str()]++
			return true
		})
	}
}

// named is an origin of a service.
func named(name string) *Origin {
	s := identity.Service{Name: name, InstanceID: name, Party: identity.Party{Name: name}}
	return &Origin{Service: s, Resource: s.ProcessResource(1, name), Traces: true}
}

// TestANoisyWorkloadCostsAQuietOneNothing has one workload make some ten times what the queue holds, 25,000 requests
// a second beside 50 of a quiet one, while the receiver is away or slow. Every request of the quiet one arrives,
// once, and the books say whose the lost ones were.
func TestANoisyWorkloadCostsAQuietOneNothing(t *testing.T) {
	for name, tc := range map[string]struct {
		away  bool
		pause time.Duration
	}{
		"the receiver is away": {away: true},
		"the receiver is slow": {pause: 50 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			receiver := &backend{pause: tc.pause, paths: map[string]map[string]int{}}
			server := &http.Server{Handler: receiver, ReadHeaderTimeout: time.Minute}
			address := listener.Addr().String()
			if tc.away {
				_ = listener.Close() // until later
			} else {
				go func() { _ = server.Serve(listener) }()
			}
			defer server.Close()

			accounts := books.New()
			settings, err := export.EachFromEnv("http://"+address, func(name string) (string, bool) {
				return string(export.HTTPProtobuf), name == "OTEL_EXPORTER_OTLP_PROTOCOL"
			})
			if err != nil {
				t.Fatal(err)
			}
			sink, err := export.NewOTLP(export.Options{
				Settings: settings, Accounts: export.Accounts{signal.Traces: accounts}, Log: slog.New(slog.DiscardHandler),
				Backoff: export.Backoff{First: time.Millisecond, Longest: 50 * time.Millisecond, Spent: time.Minute},
			})
			if err != nil {
				t.Fatal(err)
			}
			p := New(Options{Origins: origins{1: named("noisy"), 2: named("quiet")}, Recorder: red.NewRecorder(time.Now()), Books: accounts, Routes: routes.NewBook(), Protocols: rooms(), Sink: sink})
			const quiet, noisy = 400, 200_000
			want := map[string]int{}
			for i := range noisy {
				x := request(1, fmt.Sprintf("/noise/%d", i))
				p.Handle(&x)
				if i%(noisy/quiet) == 0 {
					path := fmt.Sprintf("/quiet/%d", i)
					x := request(2, path)
					p.Handle(&x)
					want[path] = 1
				}
			}
			p.Flush()
			if tc.away {
				if listener, err = net.Listen("tcp", address); err != nil {
					t.Fatal(err)
				}
				go func() { _ = server.Serve(listener) }()
			}
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			if err := sink.Close(ctx); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, receiver.paths["quiet"]); diff != "" {
				t.Errorf("the requests of the quiet one (-made +received):\n%.1000s", diff)
			}
			lost := noisy - len(receiver.paths["noisy"])
			if lost < noisy/10 {
				t.Errorf("the noisy one lost %d of %d: the queue was hardly full", lost, noisy)
			}
			balance := accounts.Balance(nil)
			if want := (books.Balance{Seen: noisy + quiet, Sent: uint64(noisy + quiet - lost), Dropped: map[loss.Name]uint64{loss.QueueFull: uint64(lost)}}); !cmp.Equal(want, balance) {
				t.Errorf("books: %+v, want %+v", balance, want)
			}
			if diff := cmp.Diff(map[string]uint64{"noisy": uint64(lost)}, accounts.Whose(loss.QueueFull)); diff != "" {
				t.Errorf("whose they were (-want +got):\n%s", diff)
			}
		})
	}
}
