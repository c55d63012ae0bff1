package checks

import "slices"

// Check is one thing that has to be so, and what to do where it is not.
type Check struct {
	// Code is ODI- and three digits. It never changes and is never given to another check.
	Code string
	// Title says what is so when all is well.
	Title    string
	Severity Severity
	Phase    Phase
	// Why it matters, and Mend what to do; both are sentences.
	Why, Mend string
	// Rights are those that the check is about, for who gathers the facts; most checks have none.
	Rights []Right
	// Judge looks at facts alone. No finding means that the check does not apply.
	Judge func(Facts) []Finding
}

// Severity is what a broken check means.
type Severity string

// The severities.
const (
	// Fatal: odi cannot work, or not on that node.
	Fatal Severity = "fatal"
	// Warning: a part of odi does not work, or will not for long.
	Warning Severity = "warning"
	// Note is good to know.
	Note Severity = "note"
)

// Phase is when a check is made.
type Phase string

// The phases.
const (
	Before Phase = "before installing"
	After  Phase = "after installing"
	Always Phase = "before and after installing"
)

// in says whether a check belongs to a run, which is Before or After.
func (p Phase) in(run Phase) bool { return p == Always || p == run }

// State is the outcome of looking at one subject.
type State string

// The states.
const (
	OK     State = "ok"
	Broken State = "broken"
	// Unknown means that there is no evidence; the text says why.
	Unknown State = "unknown"
)

// Finding is what a check says of one subject: a node, a Destination, an object. The
// subject is empty where there is only one.
type Finding struct {
	State   State  `json:"state"`
	Subject string `json:"subject,omitempty"`
	Text    string `json:"text"`
}

// All lists every check in the order of their codes, which is the order of a first day.
func All() []Check {
	return slices.Concat(clusterChecks, rightsChecks, namespaceChecks, leftoverChecks, valueChecks, nodeChecks, runningChecks, destinationChecks)
}

// Find returns the check of a code.
func Find(code string) (Check, bool) {
	for _, c := range All() {
		if c.Code == code {
			return c, true
		}
	}
	return Check{}, false
}

// Known is a value that was read, or why it could not be. The zero value was not read.
type Known[T any] struct {
	Value T
	// Why is empty where the value is known.
	Why string
	// Read says that Value is what was read.
	Read bool
}

// Of is a value that was read.
func Of[T any](value T) Known[T] { return Known[T]{Value: value, Read: true} }

// Not is a value that could not be read.
func Not[T any](why string) Known[T] { return Known[T]{Why: why} }

// missing is why there is no value; empty where there is one.
func (k Known[T]) missing() string {
	if k.Read {
		return ""
	}
	if k.Why == "" {
		return "nobody looked, since what comes before it failed"
	}
	return k.Why
}

// judged judges what is known, and says of what is not that it is not: nothing is well without evidence.
func judged[T any](k Known[T], judge func(T) []Finding) []Finding {
	if why := k.missing(); why != "" {
		return one(Unknown, why)
	}
	return judge(k.Value)
}

func one(state State, text string) []Finding {
	return []Finding{{State: state, Text: text}}
}

// unless is one finding: broken with the problem where there is one, else well with the text.
func unless(problem, text string) []Finding {
	if problem != "" {
		return one(Broken, problem)
	}
	return one(OK, text)
}
