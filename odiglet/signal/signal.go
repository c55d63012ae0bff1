package signal

import "slices"

// Signal is one kind of telemetry. What makes batches of it, and the sinks that
// send them, are told apart by nothing else.
type Signal struct {
	// Name is that of OTLP: in OTEL_EXPORTER_OTLP_<NAME>_ENDPOINT and /v1/<name>.
	Name string
	// Method is what the receiver's gRPC service is called by.
	Method string
	// QueueBytes bounds the batches that wait, and Senders is how many are on their
	// way at a time.
	QueueBytes int64
	Senders    int
	// Refused reads a receiver's answer: how many items it did not take, and why.
	Refused func(answer []byte) (items int, why string, err error)
	// Split makes two batches of one.
	Split func(Batch) (Batch, Batch, error)
	// JSON writes the body of a batch as OTLP/JSON.
	JSON func(body []byte) ([]byte, error)
}

// All lists the signals; what is later in the list is sent first at the end.
var All = []*Signal{Traces, Metrics}

// Batch is a number of items of one signal in the encoding of OTLP, an export
// request: most batches are only passed on. Nobody changes Body once the batch is
// made. One without a body could not be encoded, which only a defect of ours causes.
type Batch struct {
	Signal *Signal
	Body   []byte
	Items  int
	// Parts are what workloads have in Body, one behind the other; nil: nobody's are told apart.
	Parts []Part
	// Memory is what Body lies in, where that is used again; nil: it is not.
	Memory *Memory
}

// Part is a stretch of a batch, and an export request by itself.
type Part struct {
	Owner Owner
	Bytes int
	Items int
}

// Owner is a workload: who makes more than a receiver takes pays for it alone. All its pods are one.
type Owner struct{ Namespace, Name string }

// Without returns the batch without what somebody has in it, in memory of its own, and what that was: nil if
// there is none.
func (b Batch) Without(owner Owner) (rest Batch, out []Part) {
	if !slices.ContainsFunc(b.Parts, func(p Part) bool { return p.Owner == owner }) {
		return b, nil
	}
	rest = Batch{Signal: b.Signal}
	at := 0
	for _, p := range b.Parts {
		if p.Owner == owner {
			out = append(out, p)
		} else {
			rest.Body = append(rest.Body, b.Body[at:at+p.Bytes]...)
			rest.Parts = append(rest.Parts, p)
			rest.Items += p.Items
		}
		at += p.Bytes
	}
	return rest, out
}
