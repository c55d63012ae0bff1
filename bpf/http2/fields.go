package http2

import (
	"encoding/binary"
	"net/http"
	"strconv"

	"golang.org/x/net/http2/hpack"
)

// field is a header field of those that are kept; the others never leave the follower.
type field uint8

const (
	fieldMethod field = iota + 1
	fieldScheme
	fieldAuthority
	fieldPath
	fieldUserAgent
	fieldForwarded
	fieldForwardedFor
	fieldContentType
	fieldLength
	fieldTrace
	fieldStatus
	fieldGRPCStatus
	fieldReset   // no header: the code by which a stream was reset
	fieldUnknown // ... nobody knows whether it is a call of gRPC
	fieldReader  // ... by its client
	fieldMax
)

// keepMax bounds what is kept of a value.
const keepMax = 1024

// kept are the names of those; any other header has none.
var kept = map[string]field{
	":method":         fieldMethod,
	":scheme":         fieldScheme,
	":authority":      fieldAuthority,
	"host":            fieldAuthority,
	":path":           fieldPath,
	"user-agent":      fieldUserAgent,
	"forwarded":       fieldForwarded,
	"x-forwarded-for": fieldForwardedFor,
	"content-type":    fieldContentType,
	"content-length":  fieldLength,
	"traceparent":     fieldTrace,
	":status":         fieldStatus,
	"grpc-status":     fieldGRPCStatus,
}

// fields are those of one header block that are kept.
type fields struct {
	b       []byte // encoded by appendField
	have    uint32 // bits by field
	trace   string
	status  int
	length  int64 // -1: not said
	unknown bool  // some were said before the connection was seen
	cut     bool  // the path was longer
	posts   bool  // the method is POST
}

func (f *fields) reset() { *f = fields{b: f.b[:0], length: -1} }

// has says whether the block had the field.
func (f *fields) has(is field) bool { return f.have&(1<<is) != 0 }

// lacks says whether what is kept of every request is missing because it was said before
// the connection was seen.
func (f *fields) lacks() bool {
	return f.unknown && (!f.has(fieldMethod) || !f.has(fieldPath) || !f.has(fieldAuthority) || f.isOpen())
}

// isOpen says that nobody knows whether a request is a call of gRPC.
func (f *fields) isOpen() bool { return f.unknown && !f.has(fieldContentType) && f.posts }

// take keeps a field; the first of a name counts.
func (f *fields) take(h hpack.HeaderField) {
	if h.Name == "" {
		f.unknown = true
		if _, _, _, ok := parseTrace(h.Value); ok { // nothing else looks so
			f.trace = h.Value
		}
		return
	}
	is := kept[h.Name]
	if is == 0 || f.has(is) {
		return
	}
	f.have |= 1 << is
	if !f.read(is, h.Value) {
		f.b = appendField(f.b, is, h.Value)
	}
}

// read reads the value of a field that is needed here. True: nobody else needs it.
func (f *fields) read(is field, value string) bool {
	switch is {
	case fieldTrace:
		f.trace = value
	case fieldStatus:
		f.status, _ = strconv.Atoi(value)
	case fieldLength:
		if n, err := strconv.ParseInt(value, 10, 64); err == nil && n >= 0 {
			f.length = n
		}
	case fieldMethod:
		f.posts = value == http.MethodPost
		return false
	case fieldPath:
		f.cut = len(value) > keepMax
		return false
	default:
		return false
	}
	return true
}

func appendField(b []byte, is field, value string) []byte {
	value = value[:min(len(value), keepMax)]
	b = append(b, byte(is))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(value)))
	return append(b, value...)
}

// readFields reads what appendField has written, as far as it is whole. Later ones
// replace those before.
func readFields(b []byte) (values [fieldMax][]byte) {
	for len(b) >= 3 {
		is, n := field(b[0]), int(binary.LittleEndian.Uint16(b[1:]))
		if len(b) < 3+n {
			break
		}
		if is < fieldMax {
			values[is] = b[3 : 3+n]
		}
		b = b[3+n:]
	}
	return values
}
