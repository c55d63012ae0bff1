package destination

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// within fails when something takes longer than it may.
func within(t *testing.T, limit time.Duration, what string, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		do()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(limit + 5*time.Second):
		t.Fatalf("%s never ends", what)
	}
}

// TestTheObserverIsNotFrozen: the API server and a pod's log take the question and never come to an end.
func TestTheObserverIsNotFrozen(t *testing.T) {
	over := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/log") { // some of it comes, and then no more
			_, _ = w.Write([]byte("{}\n"))
			_ = http.NewResponseController(w).Flush()
		}
		select {
		case <-over:
		case <-r.Context().Done():
		}
	}))
	defer server.Close()
	defer close(over)
	config := &rest.Config{Host: server.URL}
	clientset, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("by a log", func(t *testing.T) {
		within(t, wordsTimeout, "reading the log", func() {
			if words, err := (podLogs{clientset: clientset, namespace: "odi-system"}).words(t.Context(), "gateway-1", "shop/a"); err == nil {
				t.Errorf("no error, and the words %q", words)
			}
		})
	})
	t.Run("by a list", func(t *testing.T) {
		within(t, listTimeout, "listing pods", func() {
			if err := newObserver(listsOver{clientset}, "odi-system", nil, told("")).look(t.Context()); err == nil {
				t.Error("no error")
			}
		})
	})
}

// listsOver lists pods with a clientset.
type listsOver struct{ clientset kubernetes.Interface }

// Get implements client.Reader.
func (listsOver) Get(context.Context, client.ObjectKey, client.Object, ...client.GetOption) error {
	panic("the observer only lists")
}

// List implements client.Reader.
func (l listsOver) List(ctx context.Context, _ client.ObjectList, _ ...client.ListOption) error {
	_, err := l.clientset.CoreV1().Pods("odi-system").List(ctx, metav1.ListOptions{})
	return err
}

// TestPodsAreAskedDirectly: neither a proxy of the environment nor a pod's redirect leads elsewhere.
func TestPodsAreAskedDirectly(t *testing.T) {
	pod, err := http.NewRequest(http.MethodGet, "http://10.0.0.7:8888/metrics", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if transport := toPods.Transport.(*http.Transport); transport.Proxy != nil {
		proxy, err := transport.Proxy(pod)
		t.Errorf("a pod is asked through %v (%v)", proxy, err)
	}
	asked := false
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer elsewhere.Close()
	redirecting := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusFound))
	defer redirecting.Close()
	at, err := url.Parse(redirecting.URL)
	if err != nil {
		t.Fatal(err)
	}
	response, err := toPods.Get(at.String())
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close() // Nothing is in it.
	if asked {
		t.Error("a pod's redirect was followed")
	}
}
