package instrumentor

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/go-logr/logr"
	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
	"github.com/odi-dev/odi/languages"
)

const (
	// answerWithin is what a pod may wait; the API server's own patience, 2 s, holds for the network as well.
	answerWithin = 1500 * time.Millisecond
	// maxReview is more than any object that the API server takes.
	maxReview = 8 << 20
)

// Webhook answers the API server about new pods. It never refuses one: whatever goes wrong, the pod is made as
// its template says, and a counter and an Event say why. All replicas of the manager answer.
type Webhook struct {
	finder finder
	claim  func(ctx context.Context, iw *odiv1.InstrumentedWorkload, request string) error
	// surroundings is what the cluster has now for the agents.
	surroundings func() (Endpoint, Delivery)
	// say tells the user about a pod that should have an agent and has none.
	say     func(iw *odiv1.InstrumentedWorkload, reason, message string)
	config  kube.Config
	metrics *webhookMetrics
	logger  logr.Logger
}

// Reasons for leaving a pod alone that are no fault, beside those of Inject.
const (
	reasonNotAPod      = "NotANewPod"
	reasonExcluded     = "NamespaceExcluded"
	reasonNotSelected  = "NotSelected"
	reasonNoAgent      = "NoAgentDecided"
	reasonStageNone    = "StageNone"
	reasonPlanIsOlder  = "PlanIsOlder"
	reasonCanaryTaken  = "CanaryTaken"
	reasonDryRun       = "DryRun"
	reasonOwnerUnknown = "OwnerUnknown"
	reasonLate         = "Late"
	reasonFault        = "Fault"
	reasonClaimLost    = "ClaimLost"
	reasonInjected     = "Injected"
	reasonHasItAlready = "HasItAlready"
)

// ServeHTTP answers one review. What is no review is an HTTP error, which the API server passes over.
func (w *Webhook) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	start := time.Now()
	body, err := io.ReadAll(io.LimitReader(r.Body, maxReview+1))
	var review admissionv1.AdmissionReview
	if err != nil || len(body) > maxReview || json.Unmarshal(body, &review) != nil || review.Request == nil {
		http.Error(out, "this is no AdmissionReview", http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), answerWithin)
	defer cancel()
	patch, reason := w.answer(ctx, review.Request)
	w.metrics.count(reason, time.Since(start))
	response := &admissionv1.AdmissionResponse{UID: review.Request.UID, Allowed: true}
	if len(patch) > 0 {
		kind := admissionv1.PatchTypeJSONPatch
		response.Patch, response.PatchType = patch, &kind
	}
	answer, err := json.Marshal(admissionv1.AdmissionReview{TypeMeta: review.TypeMeta, Response: response})
	if err != nil {
		http.Error(out, "writing the answer", http.StatusInternalServerError)
		return
	}
	out.Header().Set("Content-Type", "application/json")
	_, _ = out.Write(answer) // The API server has gone.
}

// answer is the patch for a pod, and the reason in one word. A panic is a fault like any other.
func (w *Webhook) answer(ctx context.Context, request *admissionv1.AdmissionRequest) (patch []byte, reason string) {
	defer func() {
		if p := recover(); p != nil {
			w.logger.Error(fmt.Errorf("panic: %v", p), "leaving a pod alone", "namespace", request.Namespace)
			patch, reason = nil, reasonFault
		}
	}()
	patch, reason, err := w.decide(ctx, request)
	switch {
	case err == nil:
		return patch, reason
	case ctx.Err() != nil:
		reason = reasonLate
	case reason == "":
		reason = reasonFault
	}
	w.logger.Error(err, "leaving a pod alone", "namespace", request.Namespace, "reason", reason)
	return nil, reason
}

func (w *Webhook) decide(ctx context.Context, request *admissionv1.AdmissionRequest) ([]byte, string, error) {
	if !makesPod(request) {
		return nil, reasonNotAPod, nil
	}
	if w.config.Excludes(request.Namespace) {
		return nil, reasonExcluded, nil
	}
	pod, err := readPod(request)
	if err != nil {
		return nil, "", err
	}
	iw, reason, err := w.finder.find(ctx, pod)
	if iw == nil {
		return nil, reason, err
	}
	decision := DecisionOf(iw)
	if reason := planned(iw, decision); reason != "" {
		return nil, reason, nil
	}
	if iw.Spec.Rollout.Stage == odiv1.RolloutStageCanary {
		decision.Canary = string(request.UID)
	}
	decision.Endpoint, decision.Delivery = w.surroundings()
	return w.inject(ctx, request, iw, decision)
}

func makesPod(request *admissionv1.AdmissionRequest) bool {
	isPod := request.Resource.Group == "" && request.Resource.Resource == "pods" && request.SubResource == ""
	return isPod && request.Operation == admissionv1.Create
}

// planned says why no pod gets agents now; empty where one does.
func planned(iw *odiv1.InstrumentedWorkload, d Decision) string {
	plan := iw.Spec.Rollout
	switch {
	case len(d.Containers) == 0:
		return reasonNoAgent
	case plan == nil || plan.Stage == odiv1.RolloutStageNone:
		return reasonStageNone
	case plan.Revision != languages.Revision(iw.Spec.Containers): // nobody has tried these agents yet
		return reasonPlanIsOlder
	case plan.Stage == odiv1.RolloutStageCanary && taken(iw):
		return reasonCanaryTaken
	}
	return ""
}

// inject makes the patch, and takes the canary slot where the pod needs one. The slot is taken last: a pod
// that would not get the agent leaves it to another.
func (w *Webhook) inject(
	ctx context.Context, request *admissionv1.AdmissionRequest, iw *odiv1.InstrumentedWorkload, d Decision,
) ([]byte, string, error) {
	result, err := Inject(request.Object.Raw, d)
	if err != nil {
		return nil, "", err
	}
	dry := request.DryRun != nil && *request.DryRun
	if !dry {
		for _, s := range result.Skips {
			w.say(iw, s.Reason, sentence(s))
		}
	}
	if len(result.Patch) == 0 {
		return nil, whyNothing(result), nil
	}
	patch, err := json.Marshal(result.Patch)
	if err != nil {
		return nil, "", fmt.Errorf("writing a patch: %w", err)
	}
	// One that does not apply would keep the pod from being made.
	if _, err := Apply(request.Object.Raw, result.Patch); err != nil {
		return nil, "", err
	}
	if d.Canary == "" {
		return patch, reasonInjected, nil
	}
	if dry {
		return nil, reasonDryRun, nil
	}
	if err := w.claim(ctx, iw, d.Canary); err != nil {
		return nil, reasonClaimLost, err
	}
	return patch, reasonInjected, nil
}

// whyNothing says in one word why a pod stays as it is.
func whyNothing(r Result) string {
	if len(r.Skips) > 0 {
		return r.Skips[0].Reason
	}
	return reasonHasItAlready
}

// sentence is a skip for the user.
func sentence(s Skip) string {
	if s.Container == "" {
		return "A new pod got no agent: " + s.Message
	}
	return fmt.Sprintf("Container %s of a new pod got no agent: %s", s.Container, s.Message)
}

// readPod reads what tells whose a pod is.
func readPod(request *admissionv1.AdmissionRequest) (*corev1.Pod, error) {
	v, err := read(rawOf(request.Object))
	if err != nil {
		return nil, err
	}
	v.pod.Namespace = request.Namespace
	if v.pod.Name == "" {
		v.pod.Name = request.Name
	}
	return &v.pod, nil
}

func rawOf(e runtime.RawExtension) []byte { return e.Raw }

// DecisionOf is what was decided for a workload's pods, without where they send and how files are delivered.
func DecisionOf(iw *odiv1.InstrumentedWorkload) Decision {
	d := Decision{Workload: workloadOf(iw), Signals: iw.Spec.Signals, Sampling: iw.Spec.SamplingRatio}
	seen := map[string]odiv1.ContainerStatus{}
	for _, s := range iw.Status.Containers {
		seen[s.Name] = s
	}
	for _, c := range iw.Spec.Containers {
		if c.Method == odiv1.MethodAgent && c.Agent != (odiv1.AgentReference{}) {
			s := seen[c.Name]
			d.Containers = append(d.Containers, Container{Name: c.Name, Agent: c.Agent, Runtime: s.Runtime, Environment: s.Start.Environment})
		}
	}
	return d
}
