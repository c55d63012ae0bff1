package graph

import (
	"net/netip"
	"time"

	"github.com/odi-dev/odi/odiglet/identity"
)

// Question asks whose an address was.
type Question struct {
	// Of is who saw the address at the other end of its connections.
	Of   *identity.Service
	Peer netip.Addr
	// First and Last are when the first request began and the last one ended.
	First, Last time.Time
}

// State says what a Directory knows of an address.
type State uint8

// Unknown is for good, Pending may become known.
const (
	Unknown State = iota
	Pending
	Known
)

// Answer is who had an address all the time that was asked for.
type Answer struct {
	State State
	Party identity.Party
	// Observed says that requests are recorded on that side, too.
	Observed bool
}

// Directory knows who has which address.
type Directory interface {
	Find(Question) Answer
}

// Nobody is a Directory of nobody.
type Nobody struct{}

// Find implements Directory.
func (Nobody) Find(Question) Answer { return Answer{} }
