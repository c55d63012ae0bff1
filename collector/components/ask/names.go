package ask

import (
	"strings"

	"google.golang.org/grpc/resolver"
)

// names is gRPC's own resolver of names, heard: a request that fails for want of
// addresses does not say why there are none.
type names struct {
	resolver.Builder
	question *Question
}

// Build implements resolver.Builder.
func (n names) Build(target resolver.Target, to resolver.ClientConn, options resolver.BuildOptions) (resolver.Resolver, error) {
	return n.Builder.Build(target, listener{ClientConn: to, question: n.question, name: target.Endpoint()}, options)
}

// listener hears what the resolver tells.
type listener struct {
	resolver.ClientConn
	question *Question
	name     string
}

// UpdateState implements resolver.ClientConn. A name that nobody has comes without an error.
func (l listener) UpdateState(state resolver.State) error {
	if len(state.Addresses)+len(state.Endpoints) == 0 {
		host, _, _ := strings.Cut(l.name, ":")
		l.hear("lookup " + host + ": no such host")
	}
	return l.ClientConn.UpdateState(state)
}

// ReportError implements resolver.ClientConn.
func (l listener) ReportError(err error) {
	l.hear(err.Error())
	l.ClientConn.ReportError(err)
}

func (l listener) hear(words string) {
	l.question.mu.Lock()
	defer l.question.mu.Unlock()
	l.question.names = words
}

// noAddresses is what is left of it in the request's error.
const noAddresses = "no children to pick from"

// withName adds why a name was not found. The caller holds the lock.
func (q *Question) withName(words string) string {
	if q.names == "" || !strings.HasSuffix(words, noAddresses) {
		return words
	}
	return strings.TrimSuffix(words, noAddresses) + q.names
}
