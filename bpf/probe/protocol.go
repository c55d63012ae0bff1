package probe

// Protocol is a protocol room: what a request of it says, once the kernel has framed it.
type Protocol struct {
	// Name is that of the folder; the instrumentation scope of its spans is odi/Name.
	Name string
	// Code is what the engine has in exchanges of the protocol. No two have the same.
	Code Code
	// Decode reads an exchange into an empty span. It trusts no byte, keeps nothing of
	// the exchange's memory, and leaves the name empty where the bytes are no request.
	Decode func(*Exchange, *Span)
	// Apart says that its programs are: the engine goes on with odi_<name>_sent and
	// odi_<name>_received, and knows the protocol by <name>_begins.
	Apart bool
}

// Code is the protocol of an exchange, as the kernel has it: PROTOCOL_<NAME> in a header of
// the room.
type Code uint8
