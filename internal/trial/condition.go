package trial

import (
	"context"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiac "github.com/odi-dev/odi/api/applyconfiguration/api/v1alpha1"
	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
)

// fieldManager owns the condition Tested, and nothing else: the manager writes the others.
const fieldManager = client.FieldOwner("odi/test")

// requestManager owns that condition as well, and which request it answers.
const requestManager = client.FieldOwner("odi/test-request")

// Answer writes what came of a test that somebody asked for by the annotation: the
// condition Tested, also where nothing could be sent, and which request it is about.
func (r Result) Answer(ctx context.Context, c client.Client, d *odiv1.Destination, request string, now time.Time) error {
	status := odiac.DestinationStatus().
		WithConditions(kube.Condition(now, d.Status.Conditions, r.condition())).
		WithTestRequest(odiac.TestRequest().WithValue(request).WithAnsweredAt(metav1.NewTime(now)))
	err := c.Status().Apply(ctx, odiac.Destination(d.Name, d.Namespace).WithUID(d.UID).WithStatus(status), requestManager, client.ForceOwnership)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("answering the request to test %s: %w", r.Destination, err)
	}
	return nil
}

// Record writes the condition Tested for who looks with kubectl. Whoever may not write it has
// the answer all the same.
func (r Result) Record(ctx context.Context, c client.Client, d *odiv1.Destination) error {
	if r.Problem != "" || len(r.Signals) == 0 {
		return nil // What is not known is not said, and what was known stays with its time.
	}
	status := odiac.DestinationStatus().WithConditions(kube.Condition(time.Now(), d.Status.Conditions, r.condition()))
	// The UID keeps this from making a Destination again that was deleted meanwhile.
	err := c.Status().Apply(ctx, odiac.Destination(d.Name, d.Namespace).WithUID(d.UID).WithStatus(status), fieldManager, client.ForceOwnership)
	if apierrors.IsForbidden(err) {
		return nil
	}
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("writing the condition %s of %s: %w", odiv1.ConditionTested, r.Destination, err)
	}
	return nil
}

// condition has causes alone, and not a word of the backend's: more people may read a status
// than may ask in the gateway.
func (r Result) condition() metav1.Condition {
	c := metav1.Condition{Type: odiv1.ConditionTested, Status: metav1.ConditionTrue, Reason: odiv1.ReasonTestAccepted, ObservedGeneration: r.Generation}
	if len(r.Signals) == 0 {
		c.Status, c.Reason = metav1.ConditionUnknown, odiv1.ReasonTestNotSent
		c.Message = fmt.Sprintf("At %s, nothing was sent: %s.", r.time(), strings.TrimSuffix(r.Problem, "."))
		return c
	}
	if !r.Accepted() {
		c.Status, c.Reason = metav1.ConditionFalse, odiv1.ReasonTestRefused
	}
	said := make([]string, 0, len(r.Signals))
	for _, f := range r.Signals {
		if f.Accepted {
			said = append(said, string(f.Signal)+": accepted")
		} else {
			said = append(said, fmt.Sprintf("%s: %s: %s", f.Signal, f.Step, f.Cause))
		}
	}
	c.Message = fmt.Sprintf("At %s, one of each was sent: %s.", r.time(), strings.Join(said, "; "))
	return c
}

func (r Result) time() string { return r.At.Format("2006-01-02 15:04:05 MST") }
