package probe

import (
	"net/netip"
	"time"
)

// Exchange is one finished request as one side saw it.
//
// RequestHead, AnswerHead and Preface point into memory of the engine: copy them to keep them
// after the handler returns.
type Exchange struct {
	Protocol Code
	Kind     Kind
	Link     Link
	Error    ErrorKind
	// HeadTruncated says that the request head was longer than what was kept.
	HeadTruncated bool
	// Injected says that the engine wrote the traceparent of this client request.
	Injected bool
	// TLS says that the request was seen where a library encrypts.
	TLS bool

	PID uint32
	TID uint32
	// GoID is the goroutine that received (server) or sent (client) the
	// request; 0 where the process is not Go.
	GoID uint64

	TraceID      [16]byte
	SpanID       [8]byte
	ParentSpanID [8]byte // zero: no parent known
	TraceFlags   uint8

	// Local and Peer are the two ends of the connection; IPv4-mapped
	// addresses are unmapped. Those of a Unix socket are invalid, and those of a connection
	// below TLS whose socket is not known.
	Local netip.AddrPort
	Peer  netip.AddrPort

	Start time.Time
	// Answered is when the first byte of the response passed; zero: no response.
	Answered time.Time
	End      time.Time

	// StatusCode is 0 where no response head was seen.
	StatusCode uint16
	// RequestBodySize and ResponseBodySize are bytes on the wire, -1 where unknown.
	RequestBodySize  int64
	ResponseBodySize int64

	// RequestHead is what was kept of it, from its first byte on.
	RequestHead []byte
	// AnswerHead is what was kept of the answer, in protocols that keep any of it.
	AnswerHead []byte
	// QueryKeys are the keys of queries whose values may be shown, besides those of pages:
	// whoever handles an exchange knows whose it is, and says so before it is decoded.
	QueryKeys []string
	// Tally is what the exchange stands for, where that are several: then it is one of them but for
	// its times, which are those of the telling, and its sizes. Nil: it is one request.
	Tally *Tally
	// CountAs is set by a handler that would need of requests like this one, as long as they are not
	// recorded, no more than a Tally; that comes with the same value. A handler that wants no more
	// of them takes it away.
	CountAs any
	// Preface begins with the header of the PROXY protocol that the connection
	// began with; nil: with none.
	Preface []byte
}

// Kind is the side of an exchange that the watched process was on.
type Kind uint8

// The two sides of an exchange.
const (
	Server Kind = iota + 1
	Client
)

// Link says how the parent of a span was found; it is the value of odi.link.method.
type Link uint8

// The ways to find a parent. LinkNone starts a trace.
const (
	LinkNone Link = iota
	LinkHeader
	LinkGoroutine
	LinkThread
	LinkProxy
)

// String returns the value of odi.link.method; it is empty for LinkNone.
func (l Link) String() string {
	switch l {
	case LinkHeader:
		return "header"
	case LinkGoroutine:
		return "goroutine"
	case LinkThread:
		return "thread"
	case LinkProxy:
		return "proxy"
	}
	return ""
}

// ErrorKind says why an exchange has no complete response.
type ErrorKind uint8

// The ways in which an exchange can fail below HTTP.
const (
	ErrorNone ErrorKind = iota
	// ErrorClosed: the connection was closed before the response was complete.
	ErrorClosed
	// ErrorReset: the connection was reset before the response was complete.
	ErrorReset
	// ErrorTimeout: the kernel gave the connection up.
	ErrorTimeout
)

// String returns the value of error.type; it is empty for ErrorNone.
func (e ErrorKind) String() string {
	switch e {
	case ErrorClosed:
		return "connection_closed"
	case ErrorReset:
		return "connection_reset"
	case ErrorTimeout:
		return "timeout"
	}
	return ""
}
