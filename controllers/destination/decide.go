package destination

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/destinations"
	"github.com/odi-dev/odi/internal/answer"
	"github.com/odi-dev/odi/internal/collectorconfig"
)

// reasonNotValidated is a reason that only this controller gives and nobody asks for.
const reasonNotValidated = "NotValidated"

// keptFor is how long a lane that worked goes on while it cannot be judged: a
// Secret that is replaced is away for a moment, and so is an API server.
const keptFor = 5 * time.Minute

// longestMessage is what a user reads of a message; status.lastError holds no more.
const longestMessage = 1024

// outcome is what the status is to say.
type outcome struct {
	ready, exporting verdict
	signals          []odiv1.Signal
	counted          counts
	queued           int64
	lastError        string
}

// verdict is a condition without its type.
type verdict struct {
	status  metav1.ConditionStatus
	reason  string
	message string
}

func yes(reason, message string) verdict   { return verdict{metav1.ConditionTrue, reason, message} }
func no(reason, message string) verdict    { return verdict{metav1.ConditionFalse, reason, message} }
func maybe(reason, message string) verdict { return verdict{metav1.ConditionUnknown, reason, message} }

// decide says what is so. The first case that fits is the reason.
func decide(in Input) outcome {
	o := outcome{
		ready:     ready(in),
		signals:   in.Lane.Signals(),
		counted:   in.Counted,
		queued:    in.Health.queued,
		lastError: in.Destination.Status.LastError,
	}
	if o.ready.reason == odiv1.ReasonKept {
		o.signals = in.Destination.Status.Signals
	}
	o.exporting = withDamage(exporting(in, o.ready), in.Health.damaged)
	if in.Health.known && in.Health.words != "" {
		o.lastError = shortened(in.Health.words)
	}
	return o
}

func ready(in Input) verdict {
	v := judged(in)
	if in.SecretMissing || in.Unasked != nil {
		return kept(in, v)
	}
	return v
}

// judged is what there is to say of a Destination now.
func judged(in Input) verdict {
	d := in.Destination
	var unknown *destinations.UnknownTypeError
	switch {
	case in.Rank >= in.Most:
		return no(odiv1.ReasonTooMany, fmt.Sprintf(
			"metadata.namespace: %s has more than %d Destinations; the oldest are used. Delete one of them, or this.", d.Namespace, in.Most))
	case errors.As(in.Problem, &unknown):
		return no(odiv1.ReasonUnknownType, sentence("The spec is not valid. type: "+in.Problem.Error()))
	case in.SecretRefused != "":
		return no(odiv1.ReasonSecretRefused, sentence("The spec is not valid. secretRef.name: "+in.SecretRefused))
	case in.SecretMissing:
		return no(odiv1.ReasonSecretMissing, fmt.Sprintf("There is no Secret %s in namespace %s (secretRef.name).", d.Spec.SecretRef.Name, d.Namespace))
	case in.Problem != nil:
		return no(odiv1.ReasonInvalidConfig, sentence("The spec is not valid. "+in.Problem.Error()))
	case in.Refusal != "":
		return no(odiv1.ReasonInvalidConfig, sentence("The collector refuses it: "+in.Refusal))
	case in.Unasked != nil:
		return maybe(reasonNotValidated, sentence("It could not be judged: "+in.Unasked.Error()))
	case d.Spec.Disabled:
		return yes(odiv1.ReasonAccepted, "Valid, and switched off by spec.disabled.")
	}
	return yes(odiv1.ReasonAccepted, sends(in.Lane))
}

// kept holds on to a lane that worked while its trouble may pass.
func kept(in Input, v verdict) verdict {
	before := meta.FindStatusCondition(in.Destination.Status.Conditions, odiv1.ConditionReady)
	since := in.Now
	switch {
	case before == nil || in.Problem != nil && !in.SecretMissing:
		return v
	case before.Status == metav1.ConditionUnknown && before.Reason == odiv1.ReasonKept:
		since = before.LastTransitionTime.Time
	case before.Status != metav1.ConditionTrue:
		return v
	}
	until := since.Add(keptFor)
	if in.Now.After(until) {
		v.status = metav1.ConditionFalse
		return v
	}
	return maybe(odiv1.ReasonKept, sentence(fmt.Sprintf("Since %s: %s What was configured before goes on until %s.",
		clock(since), v.message, clock(until))))
}

func clock(t time.Time) string { return t.UTC().Format("15:04:05 MST") }

// sends says what goes where.
func sends(lane collectorconfig.Lane) string {
	words := make([]string, len(lane.Signals()))
	for i, s := range lane.Signals() {
		words[i] = string(s)
	}
	what := strings.Join(words, ", ")
	from := "all namespaces"
	if lane.Only != "" {
		from = "namespace " + lane.Only
	}
	to := "the gateway's log"
	if endpoint := lane.Endpoint(); endpoint != "" {
		to = endpoint
	}
	return fmt.Sprintf("Takes %s of %s to %s.", what, from, to)
}

func exporting(in Input, ready verdict) verdict {
	if in.Destination.Spec.Disabled {
		return notSent(in.Health, "Switched off by spec.disabled", no(odiv1.ReasonDisabled, "Switched off by spec.disabled."))
	}
	if ready.status != metav1.ConditionTrue && ready.reason != odiv1.ReasonKept {
		return notSent(in.Health, "It is not Ready", no(odiv1.ReasonNotReady, "Nothing is sent until the destination is Ready."))
	}
	remote := !local(in.Lane)
	switch h := in.Health; {
	case !h.gateway:
		return maybe(odiv1.ReasonGatewayNotReady, "No pod of the gateway answers.")
	case !h.known && remote:
		return maybe(odiv1.ReasonGatewayNotReady, "The gateway has not got its configuration yet.")
	case h.fails():
		return no(reasonOf(h), failing(h))
	case !h.alive() && remote:
		return maybe(odiv1.ReasonBackendNotReached, "The gateway has not reached the backend yet.")
	case in.Counted.sent == 0:
		return yes(odiv1.ReasonNoData, "The backend answers; no data has come yet.")
	}
	return yes(odiv1.ReasonExporting, "The backend takes the data.")
}

// reasonOf tells whoever waits whether waiting helps.
func reasonOf(h health) string {
	if answer.Lasts(h.words) {
		return odiv1.ReasonExportRefused
	}
	return odiv1.ReasonExportFailing
}

// notSent is v once the gateway has let go of what it had before.
func notSent(h health, why string, v verdict) verdict {
	if h.held {
		return maybe(odiv1.ReasonGatewayNotReady, why+"; the gateway has not let go of it yet.")
	}
	return v
}

// withDamage adds what was lost of a queue on its disk, whatever else is so.
func withDamage(v verdict, items int64) verdict {
	if items > 0 {
		v.message = shortened(fmt.Sprintf("%s Files of its queue were damaged and set aside: %d.", v.message, items))
	}
	return v
}

// failing has the backend's words where there are some, and tells if nothing is lost yet.
func failing(h health) string {
	if h.words == "" {
		return "The backend refuses data, or its queue is full; the gateway's log has more."
	}
	words := fmt.Sprintf("Sending fails: %s.", strings.TrimSuffix(h.words, "."))
	if h.down && h.queued > 0 {
		words += " Data waits in the queue."
	}
	return shortened(words)
}

func local(lane collectorconfig.Lane) bool {
	for _, e := range lane.Exporters {
		if !e.Local {
			return false
		}
	}
	return true
}

// sentence makes one of an error's text, for people.
func sentence(text string) string {
	text = strings.ReplaceAll(text, "\n", "; ")
	text = shortened(text)
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

func shortened(text string) string {
	const more = "..."
	if len(text) <= longestMessage {
		return text
	}
	return strings.ToValidUTF8(text[:longestMessage-len(more)-1], "") + more
}
