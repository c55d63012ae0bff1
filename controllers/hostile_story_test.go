package controllers

import (
	"context"
	"flag"
	"fmt"
	"math/rand"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/controllers/certificates"
	"github.com/odi-dev/odi/controllers/destination"
	"github.com/odi-dev/odi/internal/collectorconfig"
	"github.com/odi-dev/odi/internal/testkit"
	"github.com/odi-dev/odi/internal/testkit/odicollector"
)

var (
	hostileCount = flag.Int("hostile", 60, "how many hostile Destinations to make")
	hostileSeed  = flag.Int64("seed", 0, "which ones; 0 means by chance")
)

// TestHostileDestinationsHarmNobody makes hostile Destinations in a cluster with
// the real controllers and the real collector, while one span every 100 ms goes to
// a good one: none is lost, the gateway is the same process throughout, and each
// hostile one is told by its field what is wrong.
func TestHostileDestinationsHarmNobody(t *testing.T) {
	seed := *hostileSeed
	if seed == 0 {
		seed = time.Now().UnixNano()
	}
	t.Logf("seed %d: go test ./controllers -run %s -hostile %d -seed %d", seed, t.Name(), *hostileCount, seed)
	random := rand.New(rand.NewSource(seed))
	w := newHostileWorld(t)
	cases := hostileCases(t, random)
	if len(cases) > *hostileCount {
		cases = cases[:*hostileCount]
	}
	t.Logf("%d Destinations", len(cases))

	ctx, stop := context.WithCancel(t.Context())
	var background sync.WaitGroup
	background.Go(func() { w.editAllTheTime(ctx) })
	background.Go(func() { w.makeAnewAllTheTime(ctx) })
	begin := time.Now()
	told := 0
	for i := range cases {
		w.place(&cases[i], i)
		if w.create(t, cases[i]) {
			told++
		}
		w.stillRuns(t, cases[i].what)
	}
	t.Logf("%d were refused by the API server, all made after %s", told, time.Since(begin).Round(time.Second))
	w.wantVerdicts(t, cases)
	w.replaceSecret(t)
	w.wantItsOwnAddressRefused(t)
	w.wantCrowdBounded(t)
	t.Logf("all were judged after %s", time.Since(begin).Round(time.Second))
	for _, c := range cases {
		if random.Intn(2) == 0 {
			_ = client.IgnoreNotFound(w.client.Delete(t.Context(), c.destination)) // One that was refused is not there.
		}
	}
	w.wantReloads(t)
	stop()
	background.Wait()
	w.wantAllData(t)
	w.stillRuns(t, "all")
}

// A hostileWorld is a cluster with a good Destination whose data never stops.
type hostileWorld struct {
	client  client.Client
	kubelet *kubelet
	ledger  *ledger
	good    *odiv1.Destination

	mu      sync.Mutex
	sent    int
	slowest time.Duration // of one span from its birth until the gateway took it
	sending sync.WaitGroup
	stop    context.CancelFunc
	pid     int
}

func newHostileWorld(t *testing.T) *hostileWorld {
	t.Helper()
	v := collectorconfig.Validator{Binary: odicollector.Binary(t)}
	restConfig := testkit.APIServer(t)
	c := testkit.Client(t, restConfig)
	testkit.Namespace(t, c, "odi-system")
	testkit.Namespace(t, c, "busy")
	testkit.Create(t, c, testkit.Deployment("odi-system", "odi-manager", "manager"), &corev1.Service{ // The chart's.
		ObjectMeta: metav1.ObjectMeta{Namespace: "odi-system", Name: "odi-gateway"},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: "otlp-grpc", Port: 4317}}},
	})
	w := &hostileWorld{client: c, kubelet: newKubelet(t, c), ledger: newLedger(t)}
	testkit.RunManager(t, restConfig, storyConfig(),
		destinationsWith(destination.Options{Validator: v, Metrics: w.kubelet.metrics}), pipelineWith(v), certificates.Setup)
	testkit.EventuallyObject(t, c, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "odi-system", Name: "odi-gateway"}},
		"the gateway is made", func(*corev1.ConfigMap) bool { return true })
	w.kubelet.start(t)
	w.pid = w.kubelet.gateway.Pid
	w.good = otlp("good", &backend{address: w.ledger.address}, "key-of-good")
	testkit.Create(t, c, secretOf("key-of-good", "Bearer good"), w.good)
	wantCondition(t, c, w.good, want{odiv1.ConditionExporting, metav1.ConditionTrue}, "The backend answers")
	ctx, stop := context.WithCancel(t.Context())
	w.stop = stop
	w.sending.Go(func() { w.send(ctx) })
	return w
}

// send makes a span every 100 ms, and offers each until it is taken, as the
// collectors of the nodes do.
func (w *hostileWorld) send(ctx context.Context) {
	var under sync.WaitGroup
	defer under.Wait()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		w.mu.Lock()
		w.sent++
		w.mu.Unlock()
		under.Go(func() { w.offer(n) })
	}
}

func (w *hostileWorld) offer(n int) {
	begin := time.Now()
	data := ptrace.NewTraces()
	data.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty().SetName(fmt.Sprint(n))
	request := ptraceotlp.NewExportRequestFromTraces(data)
	for time.Since(begin) < 2*time.Minute {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		_, err := w.kubelet.sender.Export(ctx, request)
		cancel()
		if err == nil {
			w.mu.Lock()
			w.slowest = max(w.slowest, time.Since(begin))
			w.mu.Unlock()
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// place puts twenty cases into each namespace; one of seven goes into odi's own.
func (w *hostileWorld) place(c *hostile, i int) {
	namespace := fmt.Sprintf("hostile-%d", i/20)
	if i%7 == 0 {
		namespace = "odi-system"
	}
	name := fmt.Sprintf("h%d", i)
	c.destination.Namespace, c.destination.Name = namespace, name
	if c.secret != nil {
		c.secret.Namespace, c.secret.Name = namespace, name
	}
	if ref := c.destination.Spec.SecretRef; ref != nil && ref.Name == "x" {
		ref.Name = name
	}
}

// create says whether the API server refused the case, by its field.
func (w *hostileWorld) create(t *testing.T, c hostile) bool {
	t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: c.destination.Namespace}}
	if err := client.IgnoreAlreadyExists(w.client.Create(t.Context(), namespace)); err != nil {
		t.Fatal(err)
	}
	if c.secret != nil {
		if err := w.client.Create(t.Context(), c.secret); err != nil {
			t.Fatalf("%s: making the Secret: %v", c.what, err)
		}
	}
	err := w.client.Create(t.Context(), c.destination)
	if err != nil && (c.field == "" || !strings.Contains(err.Error(), c.field)) {
		t.Errorf("%s: the API server refuses it without a word of %q: %v", c.what, c.field, err)
	}
	return err != nil
}

// wantVerdicts waits until each case has its own.
func (w *hostileWorld) wantVerdicts(t *testing.T, cases []hostile) {
	t.Helper()
	deadline := time.Now().Add(30*time.Second + time.Duration(len(cases))*time.Second/2)
	for _, c := range cases {
		if c.destination.UID == "" {
			continue // The API server refused it.
		}
		for {
			why := w.verdict(t, c)
			if why == "" {
				break
			}
			if time.Now().After(deadline) {
				t.Errorf("%s: %s", c.what, why)
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
}

// verdict says what is not yet as it should be.
func (w *hostileWorld) verdict(t *testing.T, c hostile) string {
	if err := w.client.Get(t.Context(), client.ObjectKeyFromObject(c.destination), c.destination); err != nil {
		return err.Error()
	}
	ready := meta.FindStatusCondition(c.destination.Status.Conditions, odiv1.ConditionReady)
	switch {
	case ready == nil:
		return "it was never judged"
	case ready.Reason == odiv1.ReasonTooMany:
		return "it is one too many: " + ready.Message
	case c.field == "" && ready.Status != metav1.ConditionTrue:
		return "it is odd but valid, and not Ready: " + ready.Message
	case c.field != "" && ready.Status != metav1.ConditionFalse:
		return fmt.Sprintf("it is Ready=%s: %s", ready.Status, ready.Message)
	case c.field != "" && !strings.Contains(ready.Message, strings.TrimPrefix(c.field, "spec.")):
		return fmt.Sprintf("its refusal does not name %s: %s", c.field, ready.Message)
	}
	return ""
}

// editAllTheTime changes one Destination every 50 ms, to and fro between right and wrong.
func (w *hostileWorld) editAllTheTime(ctx context.Context) {
	d := &odiv1.Destination{
		ObjectMeta: metav1.ObjectMeta{Namespace: "busy", Name: "edited"},
		Spec:       odiv1.DestinationSpec{Type: "otlp", Config: map[string]string{"endpoint": "http://no-such-host.invalid:1"}},
	}
	_ = w.client.Create(ctx, d) // What fails shows: it is never edited then, and the test is no harder.
	for n := 2; ctx.Err() == nil; n++ {
		endpoint := fmt.Sprintf("http://no-such-host.invalid:%d", n%60000+1)
		if n%3 == 0 {
			endpoint = "http://%zz"
		}
		patch := fmt.Appendf(nil, `{"spec":{"config":{"endpoint":%q}}}`, endpoint)
		_ = w.client.Patch(ctx, d, client.RawPatch("application/merge-patch+json", patch)) // The next follows.
		time.Sleep(50 * time.Millisecond)
	}
}

// makeAnewAllTheTime deletes and creates a Destination and its Secret.
func (w *hostileWorld) makeAnewAllTheTime(ctx context.Context) {
	for n := 0; ctx.Err() == nil; n++ {
		secret := usable(map[string][]byte{"token": fmt.Appendf(nil, "token-%d", n)})
		secret.Namespace, secret.Name = "busy", "anew"
		d := &odiv1.Destination{
			ObjectMeta: metav1.ObjectMeta{Namespace: "busy", Name: "anew"},
			Spec: odiv1.DestinationSpec{
				Type: "jaeger", Config: map[string]string{"endpoint": "http://no-such-host.invalid:4317"},
				SecretRef: &odiv1.SecretReference{Name: "anew"},
			},
		}
		for _, obj := range []client.Object{secret, d} {
			_ = w.client.Create(ctx, obj) // The next round follows.
		}
		time.Sleep(time.Duration(200+n%5*400) * time.Millisecond)
		for _, obj := range []client.Object{d, secret} {
			_ = w.client.Delete(ctx, obj)
		}
	}
}

// replaceSecret takes the good one's Secret away for longer than a look at it takes.
func (w *hostileWorld) replaceSecret(t *testing.T) {
	t.Helper()
	if err := w.client.Delete(t.Context(), secretOf("key-of-good", "")); err != nil {
		t.Fatal(err)
	}
	wantCondition(t, w.client, w.good, want{odiv1.ConditionReady, metav1.ConditionUnknown}, "There is no Secret key-of-good")
	testkit.Create(t, w.client, secretOf("key-of-good", "Bearer good"))
	wantCondition(t, w.client, w.good, want{odiv1.ConditionReady, metav1.ConditionTrue}, "Takes")
}

// wantItsOwnAddressRefused tries the address that the gateway's Service has.
func (w *hostileWorld) wantItsOwnAddressRefused(t *testing.T) {
	t.Helper()
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "odi-system", Name: "odi-gateway"}}
	if err := w.client.Get(t.Context(), client.ObjectKeyFromObject(service), service); err != nil {
		t.Fatal(err)
	}
	d := otlp("circle", &backend{address: net.JoinHostPort(service.Spec.ClusterIP, "4317")}, "")
	testkit.Create(t, w.client, d)
	wantCondition(t, w.client, d, want{odiv1.ConditionReady, metav1.ConditionFalse}, "endpoint: "+service.Spec.ClusterIP+" is odi itself")
}

// wantCrowdBounded makes more Destinations than a namespace may have.
func (w *hostileWorld) wantCrowdBounded(t *testing.T) {
	t.Helper()
	const most, more = 20, 3
	testkit.Namespace(t, w.client, "crowd")
	for n := range most + more {
		d := &odiv1.Destination{Spec: odiv1.DestinationSpec{Type: "debug"}}
		d.Namespace, d.Name = "crowd", fmt.Sprintf("c%02d", n)
		testkit.Create(t, w.client, d)
	}
	testkit.Eventually(t, 30*time.Second, "only so many are used", func() bool {
		var list odiv1.DestinationList
		if err := w.client.List(t.Context(), &list, client.InNamespace("crowd")); err != nil {
			return false
		}
		used, refused := 0, 0
		for i := range list.Items {
			ready := meta.FindStatusCondition(list.Items[i].Status.Conditions, odiv1.ConditionReady)
			switch {
			case ready == nil:
			case ready.Status == metav1.ConditionTrue:
				used++
			case ready.Reason == odiv1.ReasonTooMany && strings.Contains(ready.Message, "metadata.namespace"):
				refused++
			}
		}
		return used == most && refused == more
	})
}

// stillRuns holds that the gateway is the process that it was.
func (w *hostileWorld) stillRuns(t *testing.T, after string) {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", w.pid))
	if err != nil || strings.Contains(string(stat), ") Z ") {
		t.Fatalf("after %s: the gateway has ended (%v)", after, err)
	}
}

// wantReloads holds that all this reaches the gateway: without changes, data flows easily.
func (w *hostileWorld) wantReloads(t *testing.T) {
	t.Helper()
	const least = 5
	reloads := func() int { return strings.Count(w.kubelet.log.String(), "Config updated, restart service") }
	testkit.Eventually(t, 60*time.Second, "the gateway gets new configurations", func() bool { return reloads() >= least })
	t.Logf("the gateway got %d new configurations", reloads())
	if left := strings.Count(w.kubelet.log.String(), "left out what does not start"); left > 0 {
		t.Errorf("what does not start came as far as the gateway, %d times", left)
	}
}

// wantAllData stops the sender and waits for the last span.
func (w *hostileWorld) wantAllData(t *testing.T) {
	t.Helper()
	w.stop()
	w.sending.Wait()
	testkit.Eventually(t, 60*time.Second, "every span is there", func() bool { return w.ledger.different() == w.sent })
	w.mu.Lock()
	defer w.mu.Unlock()
	t.Logf("%d spans, 0 lost, %d twice; the longest wait of one was %s", w.sent, w.ledger.twice(), w.slowest.Round(10*time.Millisecond))
	const longest = 30 * time.Second // What a node's queue holds of a busy node is 20 s and more.
	if w.slowest > longest {
		t.Errorf("a span waited %s", w.slowest)
	}
}
