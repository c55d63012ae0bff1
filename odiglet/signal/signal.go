package signal

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
}
