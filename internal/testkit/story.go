package testkit

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/odi-dev/odi/internal/kube"
)

// pollEvery is often enough that a story takes no longer than what it tells of.
const pollEvery = 20 * time.Millisecond

// Eventually waits until something is so, and fails the test when it is not in time.
func Eventually(t testing.TB, within time.Duration, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(within)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", within, what)
		}
		time.Sleep(pollEvery)
	}
}

// EventuallyObject reads an object until it is as wanted, shows the last one seen
// when it is not in time, and leaves it in obj.
func EventuallyObject[T client.Object](t testing.TB, c client.Client, obj T, what string, ok func(T) bool) {
	t.Helper()
	const within = 15 * time.Second
	deadline := time.Now().Add(within)
	for {
		err := c.Get(t.Context(), client.ObjectKeyFromObject(obj), obj)
		if err == nil && ok(obj) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s\nlast: %+v (%v)", within, what, obj, err)
		}
		time.Sleep(pollEvery)
	}
}

// Client talks to an API server directly, without a cache.
func Client(t testing.TB, restConfig *rest.Config) client.Client {
	t.Helper()
	scheme, err := kube.NewScheme()
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(restConfig, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatalf("connecting to the API server: %v", err)
	}
	return c
}

// Create makes objects.
func Create(t testing.TB, c client.Client, objects ...client.Object) {
	t.Helper()
	for _, obj := range objects {
		if err := c.Create(t.Context(), obj); err != nil {
			t.Fatalf("creating %T %s: %v", obj, obj.GetName(), err)
		}
	}
}

// Namespace makes a namespace.
func Namespace(t testing.TB, c client.Client, name string) {
	t.Helper()
	Create(t, c, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
}

// RunManager runs controllers in a manager like the process's own until the test
// ends. The test fails if the API server forbade them anything.
func RunManager(t testing.TB, restConfig *rest.Config, cfg kube.Config, setups ...func(manager.Manager, kube.Config) error) {
	t.Helper()
	runManager(t, restConfig, cfg, false, setups)
}

// RunLeader is RunManager with leader election, as in the process; the namespace of cfg must exist.
func RunLeader(t testing.TB, restConfig *rest.Config, cfg kube.Config, setups ...func(manager.Manager, kube.Config) error) {
	t.Helper()
	runManager(t, restConfig, cfg, true, setups)
}

func runManager(
	t testing.TB, restConfig *rest.Config, cfg kube.Config, elect bool, setups []func(manager.Manager, kube.Config) error,
) {
	t.Helper()
	forbidden := &forbiddenHandler{Handler: slog.DiscardHandler, seen: make(chan string, 1)}
	if testing.Verbose() { // The manager tells its own story.
		forbidden.Handler = slog.NewTextHandler(os.Stderr, nil)
	}
	logger := logr.FromSlogHandler(forbidden)
	log.SetLogger(logger)
	klog.SetLogger(logger)
	mgr, err := kube.NewManager(restConfig, cfg, kube.ManagerOptions{
		MetricsAddress: "0", HealthAddress: "0", LeaderElect: elect, SharedProcess: true, Logger: logger,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, setup := range setups {
		if err := setup(mgr, cfg); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- mgr.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-stopped; err != nil {
			t.Errorf("running the manager: %v", err)
		}
		select {
		case what := <-forbidden.seen:
			t.Errorf("the manager lacks a right: %s", what)
		default:
		}
	})
}

// forbiddenHandler keeps the first refusal that is logged: an informer that may
// not list never fails otherwise, it only never has anything to say.
type forbiddenHandler struct {
	slog.Handler
	seen chan string
}

// Enabled says yes to all, since even small talk can be of a refusal.
func (h *forbiddenHandler) Enabled(context.Context, slog.Level) bool { return true }

// Handle looks for a refusal and passes the record on.
func (h *forbiddenHandler) Handle(ctx context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if text := a.Value.String(); strings.Contains(text, "is forbidden") {
			select {
			case h.seen <- text:
			default:
			}
		}
		return true
	})
	if !h.Handler.Enabled(ctx, r.Level) {
		return nil
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs keeps looking.
func (h *forbiddenHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &forbiddenHandler{Handler: h.Handler.WithAttrs(attrs), seen: h.seen}
}

// WithGroup keeps looking.
func (h *forbiddenHandler) WithGroup(name string) slog.Handler {
	return &forbiddenHandler{Handler: h.Handler.WithGroup(name), seen: h.seen}
}
