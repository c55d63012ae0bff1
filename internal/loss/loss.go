// Package loss is the one table of what can become of a request, or of an event,
// that gives no whole span: the kernel engine and the odiglet count by these
// names; `odi run`, `odi status`, `odi describe`, the odiglet's metrics and the docs say
// them in these words.
package loss

import "strings"

// Name is what a reason is counted by, in metrics and JSON.
type Name string

// What the odiglet counts. The engine counts by names of its own, and both Unparsable.
const (
	Unparsable    Name = "unparsable"
	Detached      Name = "detached"
	QueueFull     Name = "queue_full"
	Rejected      Name = "rejected"
	RetriesSpent  Name = "retries_spent"
	Shutdown      Name = "shutdown"
	IgnoredPath   Name = "ignored_path"
	HealthCheck   Name = "health_check"
	TracesOff     Name = "traces_off"
	NotSampled    Name = "not_sampled"
	AgentReported Name = "agent_reports"
	OnlyMeasured  Name = "only_measured"
)

// Class says what a reason means for the user; in metrics it is a label.
type Class string

// The classes.
const (
	// Lost is a request that should have given a span.
	Lost Class = "lost"
	// Intended is a request that the user, or the documentation, left out.
	Intended Class = "intended"
	// Incomplete is a request that has its span, without a part.
	Incomplete Class = "incomplete"
	// Recovered is an event that something else makes up for soon.
	Recovered Class = "recovered"
)

// Words end the sentence "the requests were ...".
func (c Class) Words() string {
	switch c {
	case Intended:
		return "left out on purpose"
	case Incomplete:
		return "recorded without a part"
	case Recovered:
		return "made up for later"
	}
	return "lost"
}

// Reason is one row.
type Reason struct {
	Name Name
	// Words is what happened to the request, in half a sentence.
	Words string
	Class Class
}

// Reasons lists them all; each class in the order of a request's way.
func Reasons() []Reason {
	return []Reason{
		{"ring_full", "requests ended faster than odi read them", Lost},
		{"pipelined", "more requests were in flight on one connection than odi keeps", Lost},
		{Unparsable, "what came on an HTTP connection could not be read as HTTP", Lost},
		{"unreadable", "the bytes went by io_uring, splice or sendfile, where odi does not see them", Lost},
		{Detached, "the request ended after odi had let go of its process", Lost},
		{QueueFull, "spans came faster than the receiver took them", Lost},
		{Rejected, "the receiver refused the spans, or nobody read them any more", Lost},
		{RetriesSpent, "the receiver could not be reached for too long", Lost},
		{Shutdown, "the spans still waited when odi ended", Lost},

		{IgnoredPath, "the path is one that you left out", Intended},
		{HealthCheck, "the kubelet asked for it", Intended},
		{TracesOff, "traces are switched off for the workload", Intended},
		{NotSampled, "its trace is one of those that are not recorded", Intended},
		{"no_messages", "a broker was asked for something else than messages, or had none", Intended},
		{OnlyMeasured, "it was a lookup of a name (DNS) or a handshake of TLS, which is measured and gives no span", Intended},
		{AgentReported, "the language agent of the process reports it, or sent it itself", Intended},

		{"table_full", "a table was full: the link to another request, or a header, is missing", Incomplete},
		{"too_many_pieces", "a call had more pieces than odi looks at", Incomplete},
		{"header_not_written", "the request went out without traceparent", Incomplete},
		{"header_impossible", "the request went over TLS, a Unix socket or MPTCP, where no traceparent can be written", Incomplete},
		{"truncated", "the head was longer than odi keeps", Incomplete},
		{"joined_midway", "the HTTP/2 connection was open before odi saw it, and part of the head stands for what was said then", Incomplete},

		{"notice_full", "the kernel had more to tell of processes than odi read; the next scan finds them", Recovered},
	}
}

// Of finds a reason. One that nobody knows, of another version of odi, is a loss.
func Of(name Name) Reason {
	for _, r := range Reasons() {
		if r.Name == name {
			return r
		}
	}
	return Reason{Name: name, Words: strings.ReplaceAll(string(name), "_", " "), Class: Lost}
}

// Only returns the counts of one class that are not zero.
func Only[K ~string](class Class, counts map[K]uint64) map[K]uint64 {
	of := make(map[K]uint64)
	for name, n := range counts {
		if n > 0 && Of(Name(name)).Class == class {
			of[name] = n
		}
	}
	return of
}

// Table is the whole table as the docs have it.
func Table() string {
	var b strings.Builder
	b.WriteString("| reason | what happened | such requests are |\n|---|---|---|\n")
	for _, r := range Reasons() {
		b.WriteString("| `" + string(r.Name) + "` | " + r.Words + " | " + r.Class.Words() + " |\n")
	}
	return b.String()
}
