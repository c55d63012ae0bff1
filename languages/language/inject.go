package language

import (
	"slices"
	"strconv"
	"strings"
)

// Injection is all that a room knows of a container that is to have its agent.
type Injection struct {
	// Root is the folder of the agent's files in the container; see Root.
	Root string
	// Version and Libc of the runtime; empty when unknown.
	Version string
	Libc    Libc
	// Env is the container's environment as its pod says it, in its order.
	Env []Variable
	// Hidden are names that the container's processes have though Env has them not: the image sets them, or envFrom.
	Hidden []string
	// Words are the container's command and arguments.
	Words []string
}

// Variable is one entry of an environment.
type Variable struct {
	Name  string `json:"name"`
	Value string `json:"value,omitempty"`
	// Elsewhere means that the value is not in the pod: it comes from a Secret, a ConfigMap or a field.
	Elsewhere bool `json:"elsewhere,omitempty"`
}

// Edit gives a variable a value: the last entry of its name is changed in its place; where there is none,
// one is added at the end.
type Edit struct{ Name, Value string }

// Objection is why a container gets no agent.
type Objection struct {
	// Reason is one word, Message a sentence for the user.
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// The reasons that come of an environment.
const (
	// EnvSetInImage means that the image or envFrom sets a variable that the agent needs.
	EnvSetInImage = "EnvSetInImage"
	// EnvFromElsewhere means that a variable that the agent needs has its value from elsewhere.
	EnvFromElsewhere = "EnvFromElsewhere"
	// EnvReferenced means that something else of the container uses a variable that the agent needs.
	EnvReferenced = "EnvReferenced"
	// UnsupportedLibc means that the agent has no files for the C library.
	UnsupportedLibc = "UnsupportedLibc"
	// OtherProfiler means that the place for the agent is taken.
	OtherProfiler = "OtherProfiler"
)

// Append puts a piece behind what a variable has, with a separator between. The user's own part stays as it is.
func (in Injection) Append(name, separator, piece string) ([]Edit, *Objection) {
	return in.add(name, piece, func(own string) string { return own + separator + piece })
}

// Prepend is Append in front.
func (in Injection) Prepend(name, piece, separator string) ([]Edit, *Objection) {
	return in.add(name, piece, func(own string) string { return piece + separator + own })
}

func (in Injection) add(name, piece string, join func(string) string) ([]Edit, *Objection) {
	own, found := in.Lookup(name)
	switch {
	case found && strings.Contains(own.Value, piece):
		return nil, nil // It is there already.
	case in.comesFromElsewhere(name):
		return nil, &Objection{EnvFromElsewhere, name + " has its value from elsewhere (valueFrom), where odi cannot add to it; with the value itself in the pod template, it can."}
	case !found && slices.Contains(in.Hidden, name):
		return nil, &Objection{EnvSetInImage, name + " is set by the image or by envFrom, and a value in the pod would take its place; " +
			"with that value in the pod template, odi can add to it."}
	case in.uses(name):
		return nil, &Objection{EnvReferenced, name + " is used by another variable or by the command, which would change with it; without that reference, odi can add to it."}
	case own.Value == "":
		return []Edit{{name, piece}}, nil
	}
	return []Edit{{name, join(own.Value)}}, nil
}

// Default gives a variable a value unless the user has one of his own, or uses one that is not there.
func (in Injection) Default(name, value string) []Edit {
	if in.Own(name) || in.uses(name) {
		return nil
	}
	return []Edit{{name, value}}
}

// Protocol is how the agent sends, unless the user says himself where to.
func (in Injection) Protocol(protocol string) []Edit {
	for _, endpoint := range []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"} {
		if in.Own(endpoint) {
			return nil
		}
	}
	return in.Default("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
}

// Own says that the container has a variable without odi, wherever it comes from.
func (in Injection) Own(name string) bool {
	_, found := in.Lookup(name)
	return found || slices.Contains(in.Hidden, name)
}

// Lookup finds the entry of a name that counts, which is the last.
func (in Injection) Lookup(name string) (Variable, bool) {
	for _, v := range slices.Backward(in.Env) {
		if v.Name == name {
			return v, true
		}
	}
	return Variable{}, false
}

// AtLeast says that the runtime is known to be of a first number or a later one.
func (in Injection) AtLeast(major int) bool {
	first, _, _ := strings.Cut(in.Version, ".")
	n, err := strconv.Atoi(first)
	return err == nil && n >= major
}

func (in Injection) comesFromElsewhere(name string) bool {
	return slices.ContainsFunc(in.Env, func(v Variable) bool { return v.Name == name && v.Elsewhere })
}

// uses says that another variable or the command refers to a variable, as Kubernetes or a shell writes it.
func (in Injection) uses(name string) bool {
	refers := func(text string) bool {
		return strings.Contains(text, "$("+name+")") || strings.Contains(text, "${"+name) || strings.Contains(text, "$"+name)
	}
	return slices.ContainsFunc(in.Words, refers) ||
		slices.ContainsFunc(in.Env, func(v Variable) bool { return refers(v.Value) })
}

// Apply is an environment after edits.
func Apply(env []Variable, edits []Edit) []Variable {
	env = slices.Clone(env)
	for _, e := range edits {
		last := -1
		for i, v := range env {
			if v.Name == e.Name {
				last = i
			}
		}
		if last < 0 {
			env = append(env, Variable{Name: e.Name, Value: e.Value})
			continue
		}
		env[last] = Variable{Name: e.Name, Value: e.Value}
	}
	return env
}
