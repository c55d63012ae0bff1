package trial

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/destinations"
	"github.com/odi-dev/odi/internal/answer"
)

// Result is what came of testing one Destination.
type Result struct {
	Destination string `json:"destination"`
	Type        string `json:"type"`
	// Endpoint is its address, empty where it has none.
	Endpoint string `json:"endpoint,omitempty"`
	// Generation of the Destination that was tested, and the pod of the gateway that did so.
	Generation int64     `json:"generation"`
	Pod        string    `json:"pod,omitempty"`
	At         time.Time `json:"at"`
	// TraceID is that of the span and the log record, to look for at the backend.
	TraceID string           `json:"traceId,omitempty"`
	Signals []answer.Finding `json:"signals,omitempty"`
	// Problem is why nothing was sent.
	Problem string `json:"problem,omitempty"`
}

// Accepted says whether the backend took every signal.
func (r Result) Accepted() bool {
	for _, s := range r.Signals {
		if !s.Accepted {
			return false
		}
	}
	return r.Problem == "" && len(r.Signals) > 0
}

const (
	// arrival is how long a change of a Destination takes to the gateway, with room.
	arrival = 20 * time.Second
	// again is how often it is looked whether it has arrived.
	again = time.Second
	// answering bounds one question; the collector in the gateway ends by itself before.
	answering = 20 * time.Second
)

// A Cluster is where the gateway is, and with whose rights it is asked.
type Cluster struct {
	Client client.Client
	// Config of the connection to the API server.
	Config *rest.Config
	// Namespace is odi's own.
	Namespace string
}

// Destination has the gateway test d. Errors are of the asker's rights and of the cluster;
// what is wrong with the destination or the gateway is in the result.
func (c Cluster) Destination(ctx context.Context, d *odiv1.Destination) (Result, error) {
	r := Result{Destination: d.Namespace + "/" + d.Name, Type: d.Spec.Type, Endpoint: d.Spec.Config["endpoint"],
		Generation: d.Generation, At: time.Now().UTC().Truncate(time.Second)}
	if r.Problem = unready(d); r.Problem != "" {
		return r, nil
	}
	typ, err := destinations.Get(d.Spec.Type)
	if err != nil {
		r.Problem = err.Error() // The manager is newer than this command.
		return r, nil
	}
	g, err := c.gateway(ctx)
	if errors.Is(err, errNoGateway) {
		r.Problem = err.Error()
		return r, nil
	}
	if err != nil {
		return r, err
	}
	report, err := g.answersOf(ctx, d)
	if ctx.Err() != nil {
		return r, ctx.Err()
	}
	if err != nil {
		r.Problem = err.Error()
		return r, nil
	}
	r.Pod, r.At, r.TraceID = g.pod.Name, report.At, report.TraceID
	r.Signals = answer.Explain(report.Answers, answer.About{
		Name: d.Name, Type: typ, Config: d.Spec.Config, Secret: d.Spec.SecretRef != nil, Endpoint: r.Endpoint,
	})
	return r, nil
}

// unready is why a Destination is in no gateway, empty where it is, or will be.
func unready(d *odiv1.Destination) string {
	if d.Spec.Disabled {
		return "it is switched off by spec.disabled"
	}
	c := meta.FindStatusCondition(d.Status.Conditions, odiv1.ConditionReady)
	switch {
	case Unjudged(d):
		return "the manager has not looked at it yet; to see why: odi status"
	case c.Status == metav1.ConditionFalse:
		return "it is not Ready: " + c.Message
	}
	return ""
}

// Unjudged says that the manager has not looked at a Destination as it is now.
func Unjudged(d *odiv1.Destination) bool {
	c := meta.FindStatusCondition(d.Status.Conditions, odiv1.ConditionReady)
	return c == nil || c.ObservedGeneration != d.Generation
}

// answersOf asks until the gateway has the Destination as it is now.
func (g gateway) answersOf(ctx context.Context, d *odiv1.Destination) (answer.Report, error) {
	deadline := time.Now().Add(arrival)
	for {
		report, err := g.answerOf(ctx, d)
		if !errors.Is(err, errNotThere) || time.Now().After(deadline) {
			return report, err
		}
		select {
		case <-ctx.Done():
			return report, ctx.Err()
		case <-time.After(again):
		}
	}
}

// answerOf asks once. A report of another Destination, or of this one as it was, is none.
func (g gateway) answerOf(ctx context.Context, d *odiv1.Destination) (answer.Report, error) {
	ctx, cancel := context.WithTimeout(ctx, answering)
	defer cancel()
	text, err := g.ask(ctx, d.Namespace+"/"+d.Name)
	if err != nil {
		return answer.Report{}, err
	}
	var report answer.Report
	if err := json.Unmarshal(text, &report); err != nil {
		return answer.Report{}, fmt.Errorf("reading the answer of pod %s: %w", g.pod.Name, err)
	}
	if report.UID != string(d.UID) || report.Generation != 0 && report.Generation != d.Generation {
		return answer.Report{}, fmt.Errorf("%w as it is now", errNotThere)
	}
	return report, nil
}
