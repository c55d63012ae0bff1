package answer

import (
	"fmt"
	"slices"
	"strings"
)

var nothingThere = answers("404", "405", "Unimplemented", "NotFound")

// asking are clues of paths, sizes, limits and of the backend's own trouble.
var asking = []clue{
	{func(q question) bool { return nothingThere(q) && q.twice() != "" }, func(q question) string {
		return fmt.Sprintf("The path has %s twice: leave it out of the address.", q.twice())
	}},
	{func(q question) bool { return nothingThere(q) && q.others }, func(q question) string {
		var rest []string
		for _, s := range q.Type.Signals {
			if s != q.Signal {
				rest = append(rest, string(s))
			}
		}
		return fmt.Sprintf("It takes other signals, and no %s. If it never will, leave them out: --signals %s", q.Signal, strings.Join(rest, ","))
	}},
	{answers("Unimplemented"), func(q question) string {
		return fmt.Sprintf("A gRPC server is there that takes no %s by OTLP. Is it the right port?", q.Signal)
	}},
	{nothingThere, func(q question) string {
		if q.URL == "" {
			return "It knows nothing of that name. See " + q.Type.Docs
		}
		return fmt.Sprintf("Asked was %s: compare its path with %s", q.URL, q.Type.Docs)
	}},
	{answers("413"), always("One span is too large for it: a proxy before it has a limit of its own, as nginx has client_max_body_size.")},
	{answers("429", "ResourceExhausted"), always("A limit or quota of the account is reached. Queues keep what comes until it takes more; send fewer signals, or raise it.")},
	{answers("502", "503", "504", "Unavailable"), always("Mostly that is a proxy or load balancer whose backend is away, or starts. Look at the backend's own log.")},
	{answers("500", "Internal", "Unknown"), always("Look at the backend's own log.")},
	{answers("400", "InvalidArgument"), func(q question) string { return "Its words say what it misses. What it takes: " + q.Type.Docs }},
	{because("the connection was cut"), always("A proxy, a load balancer or a firewall on the way may cut it; or the port is another protocol's.")},
}

// twice is the part of a URL's path that comes two times in a row, empty for none.
func (q question) twice() string {
	if q.URL == "" {
		return ""
	}
	parts := strings.Split(strings.Trim(q.address().Path, "/"), "/")
	for n := len(parts) / 2; n > 0; n-- {
		for i := 0; i+2*n <= len(parts); i++ {
			if slices.Equal(parts[i:i+n], parts[i+n:i+2*n]) {
				return "/" + strings.Join(parts[i:i+n], "/")
			}
		}
	}
	return ""
}
