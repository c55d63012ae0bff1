package bpf

// enoughToTell is how many outgoing requests without a parent say that this is how
// a process works, and not how it began.
const enoughToTell = 10

// unlinked says why no outgoing request of a process has a parent, and what would
// give it one; it is empty where one has, or too few were seen.
func unlinked(v *targetValue) string {
	if v.Linked > 0 || v.Clients < enoughToTell {
		return ""
	}
	switch trustOf(v) {
	case "strict", "moved":
		return "works on many requests in one thread, or on one in many: only an OpenTelemetry agent in it can tell which of them asks, so what it asks starts traces of its own"
	case "thread":
		return "asks from threads that serve no request: only an OpenTelemetry agent in it can tell for which request, so what it asks starts traces of its own"
	case "goroutine":
		return "asks from goroutines that no request has started, or that outlive it: only OpenTelemetry's SDK in it can tell for which request, so what it asks starts traces of its own"
	}
	return "changes what it forwards, or asks for itself alone: which request it forwards cannot be told, so what it asks starts traces of its own"
}
