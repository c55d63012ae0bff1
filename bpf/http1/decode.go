package http1

import (
	"github.com/odi-dev/odi/bpf/probe"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// ScopeName is the instrumentation scope of the spans of this room.
const ScopeName = "odi/http1"

// Decode writes the exchange into span: name, kind, ids, times, status and
// attributes. The resource and http.route are the caller's.
func Decode(x probe.Exchange, span ptrace.Span) {}
