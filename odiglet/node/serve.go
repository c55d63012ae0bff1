package node

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/errgroup"

	"github.com/odi-dev/odi/bpf"
	"github.com/odi-dev/odi/internal/loss"
	"github.com/odi-dev/odi/internal/nodeapi"
	"github.com/odi-dev/odi/internal/version"
	"github.com/odi-dev/odi/odiglet"
	"github.com/odi-dev/odi/odiglet/attach"
)

// farewell bounds how long answers under way may take at the end.
const farewell = time.Second

// server answers at two addresses: health and metrics to the cluster, the query
// API to the pod alone, since it names the processes of every workload on the
// node. Who asks there has come through the API server, which knows who they are.
// It only reads.
type server struct {
	address string
	query   string
	node    string
	kernel  string
	odiglet *odiglet.Odiglet
	cluster *cluster
	// exportError is what the receiver said last.
	exportError func() error
	// ready is closed once pods and processes were read.
	ready <-chan struct{}
}

// run serves until ctx ends.
func (s *server) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return serve(ctx, s.address, s.routes()) })
	g.Go(func() error { return serve(ctx, s.query, s.queryRoutes()) })
	return g.Wait()
}

func serve(ctx context.Context, address string, handler http.Handler) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("listening on %s: %w", address, err)
	}
	srv := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
	}
	stop := context.AfterFunc(ctx, func() {
		bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
		defer cancel()
		_ = srv.Shutdown(bye) // who has not read the answer by then never will
	})
	defer stop()
	if err := srv.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving on %s: %w", address, err)
	}
	return nil
}

func (s *server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", serveAlive(s.odiglet.Manager().Busy))
	mux.HandleFunc("GET /readyz", s.serveReady)
	mux.Handle("GET /metrics", promhttp.HandlerFor(Metrics(s.odiglet, s.exportError), promhttp.HandlerOpts{}))
	return mux
}

func (s *server) queryRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+nodeapi.NodePath, func(w http.ResponseWriter, _ *http.Request) { answer(w, s.self()) })
	mux.HandleFunc("GET "+nodeapi.ProcessesPath, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		answer(w, s.processes(q.Get("namespace"), q.Get("kind"), q.Get("name")))
	})
	mux.HandleFunc("GET "+nodeapi.RoutesPath, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		answer(w, s.routesOf(q.Get("namespace"), q.Get("kind"), q.Get("name")))
	})
	return mux
}

// stuckAfter is three times what attaching to a thousand programs takes: an odiglet
// that does nothing else for so long follows no process any more, and a new one would.
const stuckAfter = 3 * time.Minute

// serveAlive answers for the loop that everything depends on.
func serveAlive(busy func() time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if at := busy(); at > stuckAfter {
			http.Error(w, "no process was followed for "+at.Round(time.Second).String(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	}
}

func (s *server) serveReady(w http.ResponseWriter, _ *http.Request) {
	select {
	case <-s.ready:
		fmt.Fprintln(w, "ok")
	default:
		http.Error(w, "pods and processes are not read yet", http.StatusServiceUnavailable)
	}
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	// An error means that the client is gone.
	_ = json.NewEncoder(w).Encode(v)
}

// self is the answer to nodeapi.NodePath.
func (s *server) self() nodeapi.Node {
	n := nodeapi.Node{
		Name: s.node, Version: version.Version, Kernel: s.kernel,
		Features: []nodeapi.Feature{},
		Books:    s.ledger(),
	}
	for _, f := range s.odiglet.Features() {
		n.Features = append(n.Features, nodeapi.Feature{Name: string(f.Name), State: string(f.State), Reason: f.Reason})
	}
	if err := s.exportError(); err != nil {
		n.ExportError = err.Error()
	}
	return n
}

// ledger is the books, and whose the requests were that gave no whole span.
func (s *server) ledger() nodeapi.Books {
	b := s.odiglet.Balance()
	_, _, parts := s.odiglet.Lost()
	out := nodeapi.Books{
		Seen: b.Seen, Sent: b.Sent, Queued: b.Queued,
		Dropped: make(map[string]uint64, len(b.Dropped)), Incomplete: parts, Whose: make(map[string]map[string]uint64),
	}
	for reason, n := range b.Dropped {
		out.Dropped[string(reason)] = n
	}
	for _, of := range []map[string]uint64{out.Dropped, parts} {
		for reason, n := range of {
			if names := s.odiglet.Whose(loss.Name(reason)); n > 0 && len(names) > 0 {
				out.Whose[reason] = names
			}
		}
	}
	return out
}

// processes is the answer to nodeapi.ProcessesPath; an empty word matches all.
func (s *server) processes(namespace, kind, name string) nodeapi.Processes {
	links := make(map[uint32]bpf.TargetStatus)
	for _, t := range s.odiglet.Targets() {
		links[t.PID] = t
	}
	out := nodeapi.Processes{Processes: []nodeapi.Process{}}
	for in, at := range s.instances(namespace, kind, name) {
		out.Processes = append(out.Processes, describe(in, at, links[uint32(in.Process.PID)]))
	}
	return out
}

// instances yields the processes of workloads; an empty word matches all.
func (s *server) instances(namespace, kind, name string) iter.Seq2[attach.Instance, place] {
	return func(yield func(attach.Instance, place) bool) {
		for _, in := range s.odiglet.Manager().Instances() {
			at, ok := s.cluster.find(in.Process.Container.ID)
			if !ok {
				continue
			}
			ref := at.workload
			if namespace != "" && namespace != ref.Namespace || kind != "" && kind != string(ref.Kind) || name != "" && name != ref.Name {
				continue
			}
			if !yield(in, at) {
				return
			}
		}
	}
}

func describe(in attach.Instance, at place, link bpf.TargetStatus) nodeapi.Process {
	return nodeapi.Process{
		PID: in.Process.PID, Executable: in.Process.Exe,
		Namespace: at.pod.namespace, Kind: string(at.workload.Kind), Workload: at.workload.Name,
		Pod: at.pod.name, Container: at.container.name,
		Runtime: in.Runtime.Label(), Version: in.Runtime.Version,
		Attached: in.Attached, Service: in.Service, Error: in.Error,
		Trust: link.Trust, Note: cmp.Or(link.GoReason, link.UnreadNote(), link.Unlinked),
		ClientSpans: link.ClientSpans, LinkedClientSpans: link.LinkedClientSpans, OpenRequests: link.OpenRequests,
	}
}
