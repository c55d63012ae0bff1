package node

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/nodeapi"
	"github.com/odi-dev/odi/internal/testkit"
	"github.com/odi-dev/odi/internal/testkit/loopback"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// serveVariable makes the test's own binary the application under test.
const serveVariable = "ODI_TEST_SERVE"

func TestMain(m *testing.M) {
	if address := os.Getenv(serveVariable); address != "" {
		err := http.ListenAndServe(address, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") }))
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// TestStory tells how a container of a selected workload is detected,
// instrumented and given up: a real API server, the real engine, and a process
// in a cgroup such as a container runtime makes.
func TestStory(t *testing.T) {
	testkit.NeedRoot(t)
	config := testkit.APIServer(t)
	c := testkit.Client(t, config)
	const containerID = "5f0e1d2c3b4a59687766554433221100ffeeddccbbaa99887766554433221100"
	app := startApp(t, containerID)
	received := startReceiver(t)
	makePod(t, c, containerID)
	listen, query := loopback.Address(t), loopback.Address(t)
	stop := startNode(t, Options{
		Node: "n1", Listen: listen, Query: query, Config: config, Log: slog.New(slog.DiscardHandler),
		Env: func(name string) (string, bool) {
			v, ok := map[string]string{
				"OTEL_EXPORTER_OTLP_ENDPOINT": "http://" + received.address, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
				"POD_NAMESPACE": "default", "ODI_CLUSTER_NAME": "eu-1", "ODI_ENVIRONMENT": "production",
			}[name]
			return v, ok
		},
	})

	t.Log("A node that instruments says so; its Node owns what it reports.")
	ni := &odiv1.NodeInstrumentation{ObjectMeta: metav1.ObjectMeta{Name: "n1"}}
	testkit.EventuallyObject(t, c, ni, "the node is ready", func(ni *odiv1.NodeInstrumentation) bool {
		return len(ni.Status.Conditions) == 1 && ni.Status.Conditions[0].Status == metav1.ConditionTrue && len(ni.Status.Features) > 0
	})
	if len(ni.OwnerReferences) != 1 || ni.OwnerReferences[0].Kind != "Node" {
		t.Errorf("owners: %+v", ni.OwnerReferences)
	}

	t.Log("Nothing is looked at that is not selected; what is selected is detected.")
	if len(ni.Status.Containers) != 0 {
		t.Errorf("facts of what is not selected: %+v", ni.Status.Containers)
	}
	iw := &odiv1.InstrumentedWorkload{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "deployment-cart"},
		Spec: odiv1.InstrumentedWorkloadSpec{
			Workload: odiv1.WorkloadReference{Kind: odiv1.KindDeployment, Name: "cart"}, Config: "all",
		},
	}
	testkit.Create(t, c, iw)
	wantFact(t, c, ni, "the runtime is detected", func(f odiv1.ContainerFact) bool {
		return f.Container == "app" && f.Runtime.Language == "go" && f.Pods == 1 && f.Processes == 1 && f.Attached == 0
	})

	t.Log("The decision attaches; spans carry the pod's identity, and the kubelet's probes give none.")
	iw.Spec.IgnoredPaths = []string{"/quiet/*"}
	iw.Spec.Containers = []odiv1.ContainerDecision{{Name: "app", Method: odiv1.MethodEBPF, Reason: odiv1.ReasonMethodEBPF}}
	if err := c.Update(t.Context(), iw); err != nil {
		t.Fatal(err)
	}
	wantFact(t, c, ni, "it is attached", func(f odiv1.ContainerFact) bool { return f.Attached == 1 && f.AttachedPods == 1 })
	get(t, app, "/healthz", "kube-probe/1.36")
	get(t, app, "/quiet/x", "curl")
	get(t, app, "/cart/1", "curl")
	testkit.Eventually(t, 5*time.Second, "the span arrives", func() bool { return received.count("/cart/1") == 1 })
	resource := received.resource("/cart/1")
	for key, want := range map[string]any{
		"service.name": "cart", "k8s.pod.name": "cart-5d9-x", "k8s.deployment.name": "cart", "k8s.container.name": "app",
		"k8s.node.name": "n1", "container.id": containerID, "telemetry.sdk.language": "go", "telemetry.sdk.name": "odi",
		"k8s.cluster.uid": clusterUID(t, c), "k8s.cluster.name": "eu-1", "deployment.environment.name": "production", "host.arch": runtime.GOARCH,
		"k8s.pod.ip": "10.0.0.1",
	} {
		if resource[key] != want {
			t.Errorf("%s = %v, want %v", key, resource[key], want)
		}
	}
	if n := received.count("/healthz") + received.count("/quiet/x"); n != 0 {
		t.Errorf("%d spans of requests that are left out", n)
	}

	t.Log("The query API shows the process and closed books.")
	var processes nodeapi.Processes
	ask(t, query, nodeapi.ProcessesPath+"?namespace=shop&kind=Deployment&name=cart", &processes)
	if len(processes.Processes) != 1 || !processes.Processes[0].Attached || processes.Processes[0].Pod != "cart-5d9-x" {
		t.Errorf("processes: %+v", processes)
	}
	var named nodeapi.Routes
	ask(t, query, nodeapi.RoutesPath+"?namespace=shop&kind=Deployment&name=cart", &named)
	if diff := cmp.Diff([]nodeapi.Route{{Service: "cart", Route: "/cart/{id}", Requests: 1}, {Service: "cart", Route: "/quiet/x", Requests: 1}}, named.Routes); diff != "" {
		t.Errorf("routes (-want +got):\n%s", diff)
	}
	var self nodeapi.Node
	ask(t, query, nodeapi.NodePath, &self)
	if b := self.Books; b.Sent != 1 || b.Dropped["ignored_path"] != 1 || b.Dropped["health_check"] != 1 || b.Seen != 3 {
		t.Errorf("books: %+v", b)
	}
	if page := read(t, "http://"+listen+nodeapi.NodePath); !strings.Contains(page, "404 page not found") {
		t.Errorf("the port that the cluster reaches answers queries: %s", page)
	}
	if page := read(t, "http://"+listen+"/metrics"); !strings.Contains(page, "odi_spans_sent_total 1") || !strings.Contains(page, "odi_targets 1") {
		t.Errorf("metrics:\n%s", page)
	}

	t.Log("The end of the decision ends the spans.")
	if err := c.Delete(t.Context(), iw); err != nil {
		t.Fatal(err)
	}
	testkit.EventuallyObject(t, c, ni, "nothing is reported any more", func(ni *odiv1.NodeInstrumentation) bool {
		return ni.Status.Attached == 0 && len(ni.Status.Containers) == 0
	})
	get(t, app, "/cart/2", "curl")
	if err := stop(); err != nil {
		t.Errorf("the odiglet ended with %v", err)
	}
	if received.count("/cart/2") != 0 {
		t.Error("a span of a workload that is not selected any more")
	}
}

func wantFact(t *testing.T, c client.Client, ni *odiv1.NodeInstrumentation, what string, ok func(odiv1.ContainerFact) bool) {
	t.Helper()
	testkit.EventuallyObject(t, c, ni, what, func(ni *odiv1.NodeInstrumentation) bool {
		return len(ni.Status.Containers) == 1 && ok(ni.Status.Containers[0])
	})
}

// makePod creates a node, and on it a pod of the Deployment cart whose container runs.
func clusterUID(t *testing.T, c client.Client) string {
	t.Helper()
	var namespace corev1.Namespace
	if err := c.Get(t.Context(), client.ObjectKey{Name: "kube-system"}, &namespace); err != nil {
		t.Fatal(err)
	}
	return string(namespace.UID)
}

func makePod(t *testing.T, c client.Client, containerID string) {
	t.Helper()
	testkit.Namespace(t, c, "shop")
	pod := cartPod()
	pod.UID, pod.ManagedFields = "", nil
	pod.OwnerReferences[0].UID = "u2"
	pod.Annotations = nil
	pod.Spec.NodeName = "n1"
	pod.Spec.Containers = pod.Spec.Containers[:1]
	pod.Spec.Volumes = nil
	pod.Spec.Containers[0].LivenessProbe.HTTPGet.Path = "/healthz"
	pod.Spec.Containers[0].Env = nil
	statuses := pod.Status.ContainerStatuses[:1]
	testkit.Create(t, c, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1"}})
	testkit.Eventually(t, 10*time.Second, "the namespace can hold pods", func() bool {
		err := c.Create(t.Context(), pod)
		if err != nil && !strings.Contains(err.Error(), "serviceaccount") {
			t.Fatal(err)
		}
		return err == nil
	})
	statuses[0].ContainerID = "containerd://" + containerID
	pod.Status.ContainerStatuses = statuses
	pod.Status.Phase = corev1.PodRunning
	pod.Status.PodIP, pod.Status.PodIPs = "10.0.0.1", []corev1.PodIP{{IP: "10.0.0.1"}}
	if err := c.Status().Update(t.Context(), pod); err != nil {
		t.Fatal(err)
	}
}

// startApp runs a web server in a cgroup that is named as a container's, and returns its address.
func startApp(t *testing.T, containerID string, prepare ...func(*exec.Cmd)) string {
	t.Helper()
	top := filepath.Join(cgroup2(t), fmt.Sprint("odi-test-", os.Getpid()))
	dir := filepath.Join(top, "pod8a1f3c52-0000-4000-8000-000000000001", containerID)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for d := dir; len(d) >= len(top); d = filepath.Dir(d) {
			if err := os.Remove(d); err != nil {
				t.Error(err)
			}
		}
	})
	group, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer group.Close()
	address := loopback.Address(t)
	cmd := program.Command(t, os.Args[0])
	cmd.Env = append(cmd.Env, serveVariable+"="+address)
	cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(group.Fd())}
	for _, change := range prepare {
		change(cmd)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	testkit.Eventually(t, 10*time.Second, "the application answers", func() bool {
		resp, err := http.Get("http://" + address + "/")
		if err != nil {
			return false
		}
		return resp.Body.Close() == nil
	})
	return address
}

func cgroup2(t *testing.T) string {
	t.Helper()
	mounts, err := os.ReadFile("/proc/mounts")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); len(f) > 2 && f[2] == "cgroup2" {
			return f[1]
		}
	}
	t.Fatal("no cgroup v2 is mounted")
	return ""
}

// startNode runs the odiglet; the function that it returns ends it.
func startNode(t *testing.T, o Options) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, o) }()
	stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() { _ = stop() })
	testkit.Eventually(t, 20*time.Second, "the odiglet is ready", func() bool {
		resp, err := http.Get("http://" + o.Listen + "/readyz")
		if err != nil {
			return false
		}
		return resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
	})
	return stop
}

// receiver is an OTLP receiver that keeps all spans.
type receiver struct {
	address string

	mu  sync.Mutex
	all []ptrace.Traces
}

func startReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{address: loopback.Address(t)}
	srv := &http.Server{Addr: r.address, Handler: r, ReadHeaderTimeout: time.Second}
	go func() { _ = srv.ListenAndServe() }()
	t.Cleanup(func() { _ = srv.Close() })
	return r
}

func (r *receiver) ServeHTTP(_ http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	req := ptraceotlp.NewExportRequest()
	if err != nil || q.URL.Path != "/v1/traces" || req.UnmarshalProto(body) != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, req.Traces())
}

// each calls f with the resource and the path of every span.
func (r *receiver) each(f func(resource map[string]any, path string)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, td := range r.all {
		for _, rs := range td.ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				for _, s := range ss.Spans().All() {
					path, _ := s.Attributes().Get("url.path")
					f(rs.Resource().Attributes().AsRaw(), path.Str())
				}
			}
		}
	}
}

func (r *receiver) count(path string) int {
	n := 0
	r.each(func(_ map[string]any, p string) {
		if p == path {
			n++
		}
	})
	return n
}

func (r *receiver) resource(path string) map[string]any {
	var found map[string]any
	r.each(func(resource map[string]any, p string) {
		if p == path {
			found = resource
		}
	})
	return found
}

func get(t *testing.T, address, path, agent string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("User-Agent", agent)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
}

func read(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func ask(t *testing.T, address, path string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(read(t, "http://"+address+path)), into); err != nil {
		t.Fatal(err)
	}
}
