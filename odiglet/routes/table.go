package routes

import (
	"iter"
	"maps"
	"strings"
)

const (
	// MaxRoutes bounds the routes of each side of a service; every other request is in Other.
	MaxRoutes = 200
	// maxGiven bounds the names that a service is ever given: a route that was
	// merged into another makes room for a new one only so often.
	maxGiven = 2 * MaxRoutes
	// maxDoubtful bounds what is learned from answers that anybody can provoke.
	// A service whose every answer is one still gets names.
	maxDoubtful = 30
	// maxServers bounds the servers whose paths a client's service keeps apart.
	maxServers = 50
)

// Other is the route of requests that no route of the service fits: paths that
// were not found, and what exceeds MaxRoutes.
const Other = "/*"

// table is what is known of one side of a service.
type table struct {
	client bool
	own    *node             // of a server
	roots  map[Server]*node  // of a client, by whom it asks
	user   map[string]*route // by pattern
	other  route
	// varied are the words that lead to values, at their depth.
	varied map[lead]bool

	live     int // routes, without the user's
	given    int // titles that were ever made
	doubtful int // routes that were learned from doubtful answers
	used     uint64
}

func newTable(client bool) *table {
	return &table{client: client, own: &node{}, roots: make(map[Server]*node), other: route{title: Other}, varied: make(map[lead]bool)}
}

// lead is a word in front of a position.
type lead struct {
	label string
	depth int
}

// route is one name.
type route struct {
	title string
	count uint64
	spans []string // "GET /x", of the methods that were seen
}

// span returns the name of a span. Methods are those of RFC 9110 and one for the rest.
func (r *route) span(method string) string {
	for _, s := range r.spans {
		if len(s) == len(method)+1+len(r.title) && strings.HasPrefix(s, method) {
			return s
		}
	}
	s := method + " " + r.title
	if len(r.spans) < 16 {
		r.spans = append(r.spans, s)
	}
	return s
}

// find returns the route of a request, nil if it has none.
func (t *table) find(q *Query) *route {
	if q.Path == "" || q.Path[0] != '/' {
		return nil // OPTIONS *, CONNECT
	}
	if !t.client && q.Patterns != nil {
		if title := q.Patterns.match(q.Path); title != "" {
			return t.userRoute(title)
		}
	}
	if r := t.learned(q); r != nil || t.client {
		return r
	}
	return &t.other
}

// learned returns the route that the traffic shows, nil if there is none.
func (t *table) learned(q *Query) *route {
	root := t.root(q)
	if n := root.walk(q, false); n != nil && n.route != nil {
		return n.route
	}
	if r := t.learn(root, q); r != nil {
		return r
	}
	if n := root.walk(q, true); n != nil {
		return n.route
	}
	return nil
}

func (t *table) userRoute(title string) *route {
	r, ok := t.user[title]
	if !ok {
		if t.user == nil || len(t.user) > MaxRoutes { // patterns were changed often
			t.user = make(map[string]*route)
		}
		r = &route{title: title}
		t.user[title] = r
	}
	return r
}

// root is where the paths of a server begin.
func (t *table) root(q *Query) *node {
	if !t.client {
		return t.own
	}
	server := q.Server
	n, ok := t.roots[server]
	if ok {
		return n
	}
	if len(t.roots) >= maxServers {
		server = Server{}
		if n, ok = t.roots[server]; ok {
			return n
		}
	}
	n = &node{}
	server.Address = strings.Clone(server.Address)
	t.roots[server] = n
	return n
}

// trees yields the roots with whose they are.
func (t *table) trees() iter.Seq2[Server, *node] {
	if t.client {
		return maps.All(t.roots)
	}
	return func(yield func(Server, *node) bool) { yield(Server{}, t.own) }
}

// learn makes a route of a path that none fits; nil if it may not.
func (t *table) learn(root *node, q *Query) *route {
	trust := trustOf(q.Status)
	if trust == nothing || trust == doubt && t.doubtful >= maxDoubtful {
		return nil
	}
	if t.live+len(t.user) >= MaxRoutes || t.given >= maxGiven {
		return nil
	}
	n := root.grow(q)
	if n.route == nil {
		n.route = &route{title: n.title()}
		t.live++
		t.given++
		if trust == doubt {
			t.doubtful++
		}
	}
	if t.mergeAbove(n) {
		n = root.walk(q, false)
	}
	return n.route
}

// mergeAbove merges the positions on the way to a new node which now vary. It
// says whether there was one.
func (t *table) mergeAbove(n *node) (merged bool) {
	var top *node
	for child, at := n, n.parent; at != nil; child, at = at, at.parent {
		if at.mergeSeries(child) {
			top = at
		}
		word := lead{at.label, at.depth()}
		if at.varies(t.varied[word]) {
			at.merge()
			top = at
			t.varied[word] = true // no more than there are merges
		}
	}
	if top == nil {
		return false
	}
	t.given += top.retitle()
	t.live = 0
	for _, root := range t.trees() {
		t.live += root.routes()
	}
	return true
}

// trust is what an answer says about whether its path exists.
type trust uint8

const (
	full    trust = iota
	doubt         // a wall in front of the routes may answer so to any path
	nothing       // the path does not exist
)

func trustOf(status int) trust {
	switch status {
	case 404, 410, 414, 421, 431:
		return nothing
	case 0, 400, 401, 403, 405, 406, 429, 444, 499, 502, 503, 504:
		return doubt
	}
	return full
}

// list appends every route.
func (t *table) list(all []Listed) []Listed {
	for server, root := range t.trees() {
		for n := range root.all() {
			if n.route != nil {
				all = append(all, Listed{t.client, server, n.route.title, n.route.count})
			}
		}
	}
	for r := range maps.Values(t.user) {
		all = append(all, Listed{t.client, Server{}, r.title, r.count})
	}
	if t.other.count > 0 {
		all = append(all, Listed{t.client, Server{}, t.other.title, t.other.count})
	}
	return all
}
