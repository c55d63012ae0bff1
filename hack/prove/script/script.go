package script

// Kind is what an Op does.
type Kind uint32

// The kinds of steps, in the order that the player in C knows too.
const (
	Send      Kind = iota // Sizes of Out with one call after the other, or as one iovec
	Recv                  // until N bytes of In have come, with buffers of Sizes in turn
	RecvEnd               // until the peer has closed; more bytes are a fault
	HalfClose             // no more bytes from here
	Close                 // with FIN
	Reset                 // with RST, once all has been taken by the peer
	Sleep                 // N microseconds
	SendBuf               // SO_SNDBUF of N
	NonBlock              // calls return what they can; EAGAIN waits for room
	Settle                // until the peer's kernel has all that was sent
	Cork                  // the last bytes wait for the end, and leave with it
)

// How is the system call that a step uses.
type How uint32

// The calls for Send and Recv.
const (
	Plain   How = iota // write, read
	Vector             // writev, readv
	Socket             // sendto, recvfrom
	Message            // sendmsg, recvmsg
	More               // sendto with MSG_MORE; the last of the step without
	File               // sendfile; for Recv: a look with MSG_PEEK before each read
	Many               // sendmmsg with one message for each size
	calls              // how many there are
)

// MayFail marks a step after which a broken connection is no fault.
const MayFail = 1

// Op is one step.
type Op struct {
	Kind  Kind
	How   How
	Flags uint32
	N     uint32
	Sizes []uint32
}

// Mark is a place in the bytes of a side. When the call that moved the byte before
// it began and ended is what the player reports.
type Mark struct {
	In  bool
	Off uint32
}

// AtEnd as a Mark's Off: when the connection ended for this side; In: when it heard so.
const AtEnd = ^uint32(0)

// Side is all that one end of a connection does.
type Side struct {
	ID  uint32
	Ops []Op
	Out []byte
	In  []byte
	// Inserts are the places of In where one traceparent may come that nobody sent.
	Inserts []uint32
	// Begins and Finishes belong together: one pair for each request.
	Begins   []Mark
	Finishes []Mark
}

// Times are nanoseconds of CLOCK_MONOTONIC around the two calls of a request, 0
// where it did not come so far, and how long the thread was kept waiting for a core
// during both.
type Times struct {
	BeginFrom, BeginTo, FinishFrom, FinishTo, Delay int64
	// Inside says that the call that began the request moved other bytes before.
	Inside bool
}

// ResetSaysAgain is what Result.Odd says of a reset that came while the program
// waited in a call: the call said EAGAIN, and the next one ECONNRESET.
const ResetSaysAgain = "a reset said EAGAIN first to a call that waited"

// Result is what came of playing a Side.
type Result struct {
	ID    uint32
	Port  uint32 // of the client's end
	Fault string // empty: all happened as written
	Odd   string // a call ended as it must not
	Times []Times
	// Headers are the values of the traceparents at Inserts, empty where none came.
	Headers []string
}
