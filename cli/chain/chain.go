package chain

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/workload"
)

// State of a step.
type State string

// The states.
const (
	// Done means that the step works.
	Done State = "done"
	// Waiting means that nothing is wrong and something has yet to happen.
	Waiting State = "waiting"
	// Off means that somebody decided against it.
	Off State = "off"
	// Broken means that somebody has to act.
	Broken State = "broken"
)

// Step is one link of the chain.
type Step struct {
	Name  string `json:"name"`
	State State  `json:"state"`
	// Text says what is so, in a sentence.
	Text string `json:"text"`
	// Todo is what to do about it: a command, mostly. Empty when there is nothing to do.
	Todo string `json:"todo,omitempty"`
}

// Input is all that the chain of one workload depends on.
type Input struct {
	Workload workload.Reference
	// Object is odi's view of it; nil when no config selects it.
	Object *odiv1.InstrumentedWorkload
	// Configs are those of its namespace.
	Configs []odiv1.InstrumentationConfig
	// Never says why nothing of it will be instrumented: its namespace is excluded, or it is over; empty when it may be.
	Never string
	// ManagerProblem says why the manager does not work; empty when it does.
	ManagerProblem string
	// ManagerShow is the command that shows more of the problem.
	ManagerShow string
	// OdiNamespace is where destinations receive the data of all namespaces.
	OdiNamespace string
	Destinations []odiv1.Destination
	// Hidden says that the user may not see the destinations of OdiNamespace.
	Hidden bool
}

// Follow returns the steps up to the first that does not work, and that one.
func Follow(in Input) []Step {
	var steps []Step
	for _, link := range []func(Input) Step{selected, detected, decided, attached, read, exporting} {
		step := link(in)
		if step.Name == "" {
			continue
		}
		steps = append(steps, step)
		// A language that is not known yet stops nothing: eBPF does not need it. What is encrypted is
		// a part of what the workload does.
		if step.State != Done && step.Name != "Detected" && step.Name != stepRead {
			break
		}
	}
	return steps
}

// Why answers "why is there no trace?" in one line.
func Why(steps []Step) string {
	last := steps[len(steps)-1]
	if last.State == Done {
		for _, step := range steps {
			if step.Name == stepRead && step.State == Broken {
				return "Every other step works: requests that are not encrypted are traces. " + strings.TrimSuffix(step.Text, ".") + "; " + step.Todo
			}
		}
		return "Every step works: each request that it handles from now on is a trace."
	}
	if last.Todo == "" {
		return last.Text
	}
	return strings.TrimSuffix(last.Text, ".") + "; " + last.Todo
}

func selected(in Input) Step {
	s := Step{Name: "Selected", State: Broken}
	switch {
	case in.ManagerProblem != "":
		s.Text = fmt.Sprintf("The manager does not work: %s.", strings.TrimSuffix(in.ManagerProblem, "."))
		s.Todo = "to see more: " + in.ManagerShow
	case in.Object == nil && in.Never != "":
		s.State = Off
		s.Text = in.Never + "."
	case in.Object == nil:
		return notSelected(in)
	default:
		s.State = Done
		s.Text = message(in.Object, odiv1.ConditionSelected, fmt.Sprintf("By InstrumentationConfig %s.", in.Object.Spec.Config))
	}
	return s
}

func detected(in Input) Step {
	s := Step{Name: "Detected", State: Waiting, Text: "No odiglet has looked at it yet."}
	if c := condition(in.Object, odiv1.ConditionRuntimeDetected); c != nil {
		s.Text = c.Message
		if c.Status == metav1.ConditionTrue {
			s.State = Done
		}
	}
	return s
}

func decided(in Input) Step {
	s := Step{Name: "Decided", State: Waiting, Text: "The manager has not decided yet.", Todo: "wait a few seconds and look again"}
	if len(in.Object.Spec.Containers) == 0 {
		return s
	}
	var words []string
	on := false
	for _, c := range in.Object.Spec.Containers {
		on = on || c.Method != odiv1.MethodNone
		words = append(words, fmt.Sprintf("%s: %s - %s", c.Name, c.Method, c.Message))
	}
	s.Text, s.Todo = strings.Join(words, " "), ""
	if on {
		s.State = Done
		return s
	}
	s.State = Off
	s.Todo = howToSwitchOn(in)
	return s
}

func attached(in Input) Step {
	s := Step{Name: "Attached", State: Waiting, Text: "No odiglet has reported yet.", Todo: "to see the odiglets: odi status"}
	c := condition(in.Object, odiv1.ConditionInstrumented)
	if c == nil {
		return s
	}
	s.Text, s.Todo = c.Message, ""
	if c.Status == metav1.ConditionTrue {
		s.State = Done
		return s
	}
	switch c.Reason {
	case odiv1.ReasonAttachFailed, odiv1.ReasonFeatureUnavailable:
		s.State = Broken
		s.Todo = "to see what a node can do: odi describe node/<name>"
	case odiv1.ReasonOdigletSilent:
		s.State = Broken
		s.Todo = "to see the odiglets: odi status"
	case odiv1.ReasonWaitingForNode:
		s.Todo = fmt.Sprintf("to see whether its pods run: kubectl -n %s get pods", in.Object.Namespace)
	case odiv1.ReasonAttaching, odiv1.ReasonReconcileInProgress:
		s.Todo = "wait a few seconds and look again"
	}
	return s
}

// exporting is Done when one destination takes the data, for then there is a trace somewhere.
func exporting(in Input) Step {
	s := Step{Name: "Exporting", State: Broken}
	mine := For(in.Workload.Namespace, in.OdiNamespace, in.Destinations)
	if off := Disabled(in.Workload.Namespace, in.OdiNamespace, in.Destinations); len(mine) == 0 && off != nil {
		only := Destination(off)
		only.Name = "Exporting"
		return only
	}
	if len(mine) == 0 && in.Hidden {
		s.State = Waiting
		s.Text = fmt.Sprintf("No destination of its namespace receives its data; which of the namespace %s do, you may not see.", in.OdiNamespace)
		return s
	}
	if len(mine) == 0 {
		s.Text = "No destination receives its data."
		s.Todo = "to add one: odi destination add <type>"
		return s
	}
	var words []string
	for i := range mine {
		one := Destination(&mine[i])
		if one.State == Done {
			s.State = Done
			words = append(words, one.Text)
		}
	}
	if s.State == Done {
		s.Text = strings.Join(words, " ")
		return s
	}
	first := Destination(&mine[0])
	first.Name = "Exporting"
	return first
}

// Destination says whether one destination takes data.
func Destination(d *odiv1.Destination) Step {
	name := "destination " + d.Namespace + "/" + d.Name
	s := Step{Name: name, State: Waiting, Text: name + ": the manager has not looked at it yet.", Todo: "to see the manager: odi status"}
	if d.Spec.Disabled {
		return Step{Name: name, State: Off, Text: name + " is disabled.", Todo: "to enable it: " + Enable(d)}
	}
	ready := meta.FindStatusCondition(d.Status.Conditions, odiv1.ConditionReady)
	if ready == nil {
		return s
	}
	if ready.Status != metav1.ConditionTrue {
		s.State = Broken
		s.Text = fmt.Sprintf("%s is not ready (%s): %s", name, ready.Reason, ready.Message)
		s.Todo = fmt.Sprintf("to see all of it: odi describe destination/%s -n %s", d.Name, d.Namespace)
		return s
	}
	export := meta.FindStatusCondition(d.Status.Conditions, odiv1.ConditionExporting)
	counts := fmt.Sprintf("%d sent, %d failed, %d queued", d.Status.Sent, d.Status.Failed, d.Status.Queued)
	switch {
	case export == nil:
		s.Text = name + ": nothing is known yet about what it takes."
		s.Todo = "wait a few seconds and look again"
	case export.Status == metav1.ConditionTrue:
		s.State, s.Todo = Done, ""
		s.Text = fmt.Sprintf("%s takes the data (%s).", name, counts)
	case export.Reason == odiv1.ReasonNoData:
		s.State, s.Todo = Done, ""
		s.Text = name + " is ready; no data has come yet."
	default:
		s.State = Broken
		s.Text = fmt.Sprintf("%s does not take the data (%s): %s", name, counts, export.Message)
		s.Todo = fmt.Sprintf("check that its backend runs and that its address is right; what is queued is sent when it is back; "+
			"to see what it says: odi destination test %s -n %s", d.Name, d.Namespace)
	}
	return s
}

func condition(iw *odiv1.InstrumentedWorkload, kind string) *metav1.Condition {
	return meta.FindStatusCondition(iw.Status.Conditions, kind)
}

func message(iw *odiv1.InstrumentedWorkload, kind, otherwise string) string {
	if c := condition(iw, kind); c != nil && c.Message != "" {
		return c.Message
	}
	return otherwise
}
