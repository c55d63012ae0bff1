package destination

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/odi-dev/odi/internal/answer"
)

const (
	// observeEvery is as often as heartbeats beat: a look more often sees nothing new.
	observeEvery = 5 * time.Second
	// lookSoon is as often as somebody waits for an answer, lookFor at most.
	lookSoon = 500 * time.Millisecond
	lookFor  = 15 * time.Second
	// refusedFor is how long a refusal stays in the condition, so that people see it.
	refusedFor = time.Minute
	// damagedFor is how long damage to a queue stays there: it is rare, and what was lost stays so.
	damagedFor = time.Hour
	// believedFor is how long a pod that stopped answering is taken at its last
	// word: a gateway that reloads is silent for a second or two.
	believedFor = 12 * time.Second
	// forgottenAfter is how long after its Destination a lane is remembered.
	forgottenAfter = 10 * time.Minute
	// listTimeout bounds the question to the API server; the next look comes soon.
	listTimeout = 5 * time.Second
)

// The gateway's pods and its Service.
const (
	nameLabel   = "app.kubernetes.io/name"
	partOfLabel = "app.kubernetes.io/part-of"
	gatewayName = "odi-gateway"
)

// health is how one lane of the gateway is, over all of its pods.
type health struct {
	gateway bool // At least one pod of the gateway answers.
	known   bool // Every pod that answers has the Destination as it is now.
	held    bool // Some pod has the Destination as it is, or was.
	up      bool // The heartbeat is answered from every pod.
	down    bool // The heartbeat is refused from some pod.
	moving  bool // The backend took data since the look before.
	refused bool // The backend refused data within refusedFor.
	words   string
	// sent and failed count since the manager started; queued is what waits now.
	sent, failed, queued int64
	// damaged is how many files of its queue were lately found to be.
	damaged int64
}

// fails is so while the backend does not take what it is sent.
func (h health) fails() bool { return h.down && !h.moving || h.refused }

// alive is so while the backend answers, or takes data.
func (h health) alive() bool { return h.up || h.moving }

// Metrics opens the metrics of one pod of the gateway, in Prometheus' text format.
type Metrics func(ctx context.Context, pod *corev1.Pod) (io.ReadCloser, error)

// refusals finds the backend's words about refused data.
type refusals interface {
	words(ctx context.Context, pod, lane string) (string, error)
}

// observer looks at the gateway's pods again and again.
type observer struct {
	reader    client.Reader
	namespace string
	metrics   Metrics
	refusals  refusals
	now       func() time.Time

	mu    sync.Mutex
	pods  map[string]podSamples
	lanes map[string]*lane // by key
	own   []netip.Addr
	// awaited is until when somebody waits for news.
	awaited time.Time
	wake    chan struct{}
}

// podSamples are the latest of one pod, by the keys of its lanes.
type podSamples struct {
	at    time.Time
	lanes map[string]sample
}

// lane is what is remembered of one.
type lane struct {
	askedAt      time.Time
	sent, failed int64
	moving       bool
	refusedAt    time.Time
	words        string
	damaged      int64
	damagedAt    time.Time
}

func newObserver(reader client.Reader, namespace string, metrics Metrics, refusals refusals) *observer {
	return &observer{
		reader: reader, namespace: namespace, metrics: metrics, refusals: refusals, now: time.Now,
		pods: map[string]podSamples{}, lanes: map[string]*lane{}, wake: make(chan struct{}, 1),
	}
}

// Start looks until the manager stops. It implements manager.Runnable.
func (o *observer) Start(ctx context.Context) error {
	for {
		if err := o.look(ctx); err != nil && ctx.Err() == nil {
			log.FromContext(ctx).Error(err, "looking at the gateway")
		}
		if !o.rest(ctx) {
			return nil
		}
	}
}

// rest lasts until the next look is due; false says that the manager stops.
func (o *observer) rest(ctx context.Context) bool {
	due := time.NewTimer(o.pause())
	defer due.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-due.C:
			return true
		case <-o.wake:
			due.Reset(o.pause())
		}
	}
}

func (o *observer) pause() time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.now().Before(o.awaited) {
		return lookSoon
	}
	return observeEvery
}

// await implements healthSource.
func (o *observer) await(until time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !until.After(o.awaited) {
		return
	}
	idle := !o.now().Before(o.awaited)
	o.awaited = until
	if !idle {
		return
	}
	select {
	case o.wake <- struct{}{}:
	default: // It is told already.
	}
}

// look takes samples of all pods. A pod that does not answer is as good as gone.
func (o *observer) look(ctx context.Context) error {
	var list corev1.PodList
	listing, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	if err := o.reader.List(listing, &list, client.InNamespace(o.namespace)); err != nil {
		return fmt.Errorf("listing odi's pods: %w", err)
	}
	if err := o.learnAddresses(listing, list.Items); err != nil {
		return err
	}
	pods := map[string]podSamples{}
	for i := range list.Items {
		pod := &list.Items[i]
		if pod.Labels[nameLabel] != gatewayName || pod.Status.PodIP == "" || pod.Status.Phase != corev1.PodRunning {
			continue
		}
		samples, err := o.scrape(ctx, pod)
		if err == nil {
			pods[pod.Name] = podSamples{at: o.now(), lanes: samples}
			continue
		}
		log.FromContext(ctx).V(1).Info("a pod of the gateway does not answer", "pod", pod.Name, "reason", err.Error())
		if last, found := o.lastWord(pod.Name); found {
			pods[pod.Name] = last
		}
	}
	for pod, refused := range o.record(pods) {
		for _, name := range refused {
			o.learnWords(ctx, pod, name)
		}
	}
	return nil
}

func (o *observer) lastWord(pod string) (podSamples, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	last, found := o.pods[pod]
	return last, found && o.now().Sub(last.at) < believedFor
}

// record adds up what is new and returns the lanes that had refusals, by pod.
func (o *observer) record(pods map[string]podSamples) map[string][]string {
	o.mu.Lock()
	defer o.mu.Unlock()
	for key, l := range o.lanes {
		l.moving = false
		if o.now().Sub(l.askedAt) > forgottenAfter {
			delete(o.lanes, key)
		}
	}
	refused := map[string][]string{}
	for pod, samples := range pods {
		for name, now := range samples.lanes {
			l := o.lanes[name]
			if l == nil {
				l = &lane{askedAt: o.now()}
				o.lanes[name] = l
			}
			before := o.pods[pod].lanes[name]
			sent, failed := since(before.sent, now.sent), since(before.failed, now.failed)
			l.sent += sent
			l.failed += failed
			l.moving = l.moving || sent > 0
			if damaged := since(before.damaged, now.damaged); damaged > 0 {
				l.damaged, l.damagedAt = l.damaged+damaged, o.now()
			}
			if failed > 0 {
				l.refusedAt = o.now()
				refused[pod] = append(refused[pod], name)
			}
		}
	}
	o.pods = pods
	return refused
}

// since is what a counter counted; one that fell began anew with a reload.
func since(before, now int64) int64 {
	if now < before {
		return now
	}
	return now - before
}

func (o *observer) learnWords(ctx context.Context, pod, name string) {
	words, err := o.refusals.words(ctx, pod, name)
	if err != nil {
		log.FromContext(ctx).V(1).Info("reading the gateway's log", "pod", pod, "reason", err.Error())
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lanes[name].words = words
}

// healthOf implements healthSource.
func (o *observer) healthOf(key string, generation int64) health {
	o.mu.Lock()
	defer o.mu.Unlock()
	h := health{gateway: len(o.pods) > 0}
	if l := o.lanes[key]; l != nil {
		h.remember(l, o.now())
	}
	h.up, h.known = h.gateway, h.gateway
	for _, samples := range o.pods {
		h.join(samples.lanes[key], generation)
	}
	h.words = answer.Cause(h.words)
	return h
}

// remember adds what was seen of the lane up to now.
func (h *health) remember(l *lane, now time.Time) {
	l.askedAt = now
	h.sent, h.failed, h.moving = l.sent, l.failed, l.moving
	if h.refused = !l.refusedAt.IsZero() && now.Sub(l.refusedAt) < refusedFor; h.refused {
		h.words = l.words
	}
	if !l.damagedAt.IsZero() && now.Sub(l.damagedAt) < damagedFor {
		h.damaged = l.damaged
	}
}

// join adds what one pod says now.
func (h *health) join(s sample, generation int64) {
	h.queued += s.queued
	h.held = h.held || s.generation != 0
	h.known = h.known && s.generation == generation
	h.up = h.up && s.beat && s.words == ""
	if s.beat && s.words != "" {
		h.down, h.words = true, s.words
	}
}
