package probe

import "time"

// Protocol is a protocol room: what a request of it says, once the kernel has framed it.
type Protocol struct {
	// Name is that of the folder; the instrumentation scope of its spans is odi/Name.
	Name string
	// Code is what the engine has in exchanges of the protocol. No two have the same.
	Code Code
	// Connection is what its servers are to the service graph.
	Connection Connection
	// Decode reads an exchange into an empty span. It trusts no byte, keeps nothing of
	// the exchange's memory, and leaves the name empty where the bytes are no request.
	Decode func(*Exchange, *Span)
	// Follow begins the books of a protocol whose events are parts of requests, which are
	// put together here; nil: each event is a request.
	Follow func(Lose) Follower
	// Names writes what names a request, by its head, of whichever side; false: it is told of by
	// itself. Nil: each request is. The programs of the room name it as well.
	Names func(to *Names, head []byte, client bool) bool
	// Apart says that its programs are: the engine goes on with odi_<name>_sent and
	// odi_<name>_received, and knows the protocol by <name>_begins.
	Apart bool
}

// Follower keeps what is known of connections between their events. Events come one at a
// time; those of a connection in the order in which the kernel has made them, but where
// some are lost. What it keeps is bounded.
type Follower interface {
	// Take takes an event, nothing of whose memory it keeps, and hands on each request
	// that has ended with it. That is the handler's until it returns.
	Take(event *Exchange, handle func(*Exchange))
}

// Settler is a Follower that ends by itself what nothing more is told of.
type Settler interface {
	Follower
	// Settle is called about once a second, and not while Take runs.
	Settle(now time.Time, handle func(*Exchange))
}

// Lose counts a request of a process that gives no whole span, by a reason that
// Reasons of package loss has.
type Lose func(pid uint32, reason string)

// Connection is what the server of a protocol is to the service graph; most are services like any other.
type Connection uint8

// The kinds of servers that service graphs know.
const (
	ConnectionService Connection = iota
	ConnectionDatabase
	ConnectionMessaging
)

// String returns the value of connection_type; it is empty for ConnectionService.
func (c Connection) String() string {
	switch c {
	case ConnectionDatabase:
		return "database"
	case ConnectionMessaging:
		return "messaging_system"
	}
	return ""
}

// Code is the protocol of an exchange, as the kernel has it: PROTOCOL_<NAME> in a header of
// the room.
type Code uint8
