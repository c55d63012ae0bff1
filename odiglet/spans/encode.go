package spans

import (
	"encoding/binary"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/telemetry"
	"github.com/odi-dev/odi/internal/version"
)

// Spans are written in the encoding of OTLP as they come: objects in between
// would cost several times as much, most of it garbage. A resource, which many
// spans share, is left to pdata.

// Tags (field number and wire type) of opentelemetry/proto/trace/v1/trace.proto
// and common/v1/common.proto.
const (
	tagResourceSpans = 1<<3 | 2 // TracesData
	tagScopeSpans    = 2<<3 | 2 // ResourceSpans
	tagScope         = 1<<3 | 2 // ScopeSpans
	tagSpans         = 2<<3 | 2
	tagSchemaURL     = 3<<3 | 2

	tagScopeName    = 1<<3 | 2 // InstrumentationScope
	tagScopeVersion = 2<<3 | 2

	tagTraceID      = 1<<3 | 2 // Span
	tagSpanID       = 2<<3 | 2
	tagParentSpanID = 4<<3 | 2
	tagName         = 5<<3 | 2
	tagKind         = 6 << 3
	tagStart        = 7<<3 | 1
	tagEnd          = 8<<3 | 1
	tagAttributes   = 9<<3 | 2
	tagStatus       = 15<<3 | 2
	tagFlags        = 16<<3 | 5 // two bytes

	tagStatusCode = 3 << 3 // Status

	tagKey    = 1<<3 | 2 // KeyValue
	tagValue  = 2<<3 | 2
	tagText   = 1<<3 | 2 // AnyValue
	tagFlag   = 2 << 3
	tagNumber = 3 << 3
)

// encrypted is the attribute of what went over TLS. url.scheme would not do: it is for HTTP alone, and may
// be that of another hop, where a proxy has taken the TLS off.
var encrypted = appendBytes(nil, tagAttributes, append(appendText(nil, tagKey, telemetry.TLSEstablished), tagValue, 2, tagFlag, 1))

// appendSpan appends the fields of a Span message.
func appendSpan(b []byte, x *probe.Exchange, s *probe.Span) []byte {
	b = appendBytes(b, tagTraceID, x.TraceID[:])
	b = appendBytes(b, tagSpanID, x.SpanID[:])
	if x.ParentSpanID != [8]byte{} {
		b = appendBytes(b, tagParentSpanID, x.ParentSpanID[:])
	}
	b = appendText(b, tagName, s.Name)
	kind := ptrace.SpanKindServer
	if x.Kind == probe.Client {
		kind = ptrace.SpanKindClient
	}
	b = append(b, tagKind, byte(kind))
	b = appendTime(b, tagStart, x.Start)
	b = appendTime(b, tagEnd, x.End)
	for i := range s.Attributes {
		b = appendAttribute(b, &s.Attributes[i])
	}
	if x.TLS {
		b = append(b, encrypted...)
	}
	if s.Failed {
		b = append(b, tagStatus, 2, tagStatusCode, byte(ptrace.StatusCodeError))
	}
	b = protowire.AppendVarint(b, tagFlags)
	return binary.LittleEndian.AppendUint32(b, uint32(x.TraceFlags))
}

func appendAttribute(b []byte, a *probe.Attribute) []byte {
	if value := 2 + len(a.Text); !a.IsNumber && 4+len(a.Key)+value < 1<<7 {
		// Every length takes one byte, as it does for most attributes.
		b = append(b, tagAttributes, byte(4+len(a.Key)+value), tagKey, byte(len(a.Key)))
		b = append(b, a.Key...)
		b = append(b, tagValue, byte(value), tagText, byte(len(a.Text)))
		return append(b, a.Text...)
	}
	value := 1 + protowire.SizeVarint(uint64(a.Number))
	if !a.IsNumber {
		value = 1 + protowire.SizeBytes(len(a.Text))
	}
	b = append(b, tagAttributes)
	b = protowire.AppendVarint(b, uint64(1+protowire.SizeBytes(len(a.Key))+1+protowire.SizeBytes(value)))
	b = appendText(b, tagKey, a.Key)
	b = append(b, tagValue)
	b = protowire.AppendVarint(b, uint64(value))
	if a.IsNumber {
		return protowire.AppendVarint(append(b, tagNumber), uint64(a.Number))
	}
	return appendText(b, tagText, a.Text)
}

func appendText(b []byte, tag byte, s string) []byte {
	return protowire.AppendString(append(b, tag), s)
}

func appendBytes(b []byte, tag byte, v []byte) []byte {
	return protowire.AppendBytes(append(b, tag), v)
}

func appendTime(b []byte, tag byte, t time.Time) []byte {
	return binary.LittleEndian.AppendUint64(append(b, tag), uint64(pcommon.NewTimestampFromTime(t)))
}

// encodeResource returns the fields of a ResourceSpans without its spans.
func encodeResource(r pcommon.Resource) ([]byte, error) {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	r.CopyTo(rs.Resource())
	rs.SetSchemaUrl(telemetry.SchemaURL)
	whole, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	if err != nil {
		return nil, fmt.Errorf("encoding a resource: %w", err)
	}
	fields, n := protowire.ConsumeBytes(whole[1:]) // behind tagResourceSpans
	if n < 0 {
		return nil, fmt.Errorf("encoding a resource: %w", protowire.ParseError(n))
	}
	return fields, nil
}

// encodeScope returns the fields of a ScopeSpans without its spans.
func encodeScope(protocol string) []byte {
	scope := appendText(nil, tagScopeName, "odi/"+protocol)
	scope = appendText(scope, tagScopeVersion, version.Version)
	return appendText(appendBytes(nil, tagScope, scope), tagSchemaURL, telemetry.SchemaURL)
}
