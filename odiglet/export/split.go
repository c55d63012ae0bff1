package export

import (
	"errors"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/odi-dev/odi/odiglet/signal"
)

// smallestSplit ends the splitting of a batch that is refused for its size: who
// does not take this much does not mean the size.
const smallestSplit = 64 << 10

// tooLarge says that a receiver refused a message for its size. gRPC has no code
// for that alone; each of its implementations has the word "larger", "exceeds" or
// "too large" in its sentence.
func tooLarge(err error) bool {
	var r *refusal
	if !errors.As(err, &r) || r.again {
		return false
	}
	if r.tooLarge {
		return true
	}
	s := status.Convert(r.err)
	if s.Code() != codes.ResourceExhausted {
		return false
	}
	for _, word := range []string{"larger", "exceeds", "too large"} {
		if strings.Contains(s.Message(), word) {
			return true
		}
	}
	return false
}

// halve makes two batches of one, each with about half of the items; false for
// what cannot be made smaller.
func (p *pipe) halve(b signal.Batch) (first, second signal.Batch, ok bool) {
	if b.Items < 2 || len(b.Body) < smallestSplit {
		return signal.Batch{}, signal.Batch{}, false
	}
	first, second, err := p.signal.Split(b)
	if err != nil || first.Items == 0 || second.Items == 0 || first.Items+second.Items != b.Items {
		return signal.Batch{}, signal.Batch{}, false
	}
	return first, second, true
}
