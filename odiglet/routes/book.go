package routes

import (
	"cmp"
	"slices"
	"sync"
)

// maxTables bounds the memory of services that come and go: the one that was
// silent for longest is forgotten. It is more than both sides of every pod that a
// node can hold. A table takes 10 to 50 KiB; with the longest paths that a hostile
// service can be asked for, 1.7 MiB.
const maxTables = 512

// Service is whose routes are told apart; its replicas share them.
type Service struct{ Namespace, Name string }

// Server is whom a client asks.
type Server struct {
	Address string
	Port    int
}

// Query is one request.
type Query struct {
	Service Service
	// Client says that the service sent the request, to Server.
	Client bool
	Server Server
	Method string
	// Path is the path of the request, as sent; it is copied where it is kept.
	Path string
	// Cut says that the end of the path is missing.
	Cut bool
	// Status of the answer, 0 if none came.
	Status int
	// Times is how many requests it stands for; 0 is one.
	Times uint64
	// Patterns are the user's; nil if there are none. They count for servers only.
	Patterns *Patterns

	label [2 * maxSegment]byte // room for a form
}

// Name is what a request is called.
type Name struct {
	// Route is the template; empty if the request has none.
	Route string
	// Span is the method and the route.
	Span string
}

// Listed is one route of a service, with the requests that took it.
type Listed struct {
	Client bool
	// Server is whom the client asked.
	Server Server
	Route  string
	Count  uint64
}

// Book holds the routes of all services. It may be used by several goroutines.
type Book struct {
	mu     sync.Mutex
	tables map[side]*table
	clock  uint64 // counts requests
	// last is the table of the request before, which is often that of the next.
	last     side
	lastUsed *table
}

// side is one side of a service.
type side struct {
	service Service
	client  bool
}

// NewBook returns an empty book.
func NewBook() *Book { return &Book{tables: make(map[side]*table)} }

// Name names a request, and learns from it.
func (b *Book) Name(q *Query) Name {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.table(side{q.Service, q.Client})
	r := t.find(q)
	if r == nil {
		return Name{Span: q.Method}
	}
	r.count += max(q.Times, 1)
	return Name{Route: r.title, Span: r.span(q.Method)}
}

func (b *Book) table(s side) *table {
	b.clock++
	if b.lastUsed != nil && b.last == s {
		b.lastUsed.used = b.clock
		return b.lastUsed
	}
	t, ok := b.tables[s]
	if !ok {
		if len(b.tables) >= maxTables {
			b.forgetOne()
		}
		t = newTable(s.client)
		b.tables[s] = t
	}
	t.used = b.clock
	b.last, b.lastUsed = s, t
	return t
}

func (b *Book) forgetOne() {
	var oldest side
	used := b.clock
	for s, t := range b.tables {
		if t.used < used {
			oldest, used = s, t.used
		}
	}
	delete(b.tables, oldest)
}

// List returns the routes of a service, the most used first.
func (b *Book) List(service Service) []Listed {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []Listed
	for _, client := range []bool{false, true} {
		if t, ok := b.tables[side{service, client}]; ok {
			all = t.list(all)
		}
	}
	slices.SortFunc(all, func(x, y Listed) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.Route, y.Route), cmp.Compare(x.Server.Address, y.Server.Address), cmp.Compare(x.Server.Port, y.Server.Port))
	})
	return all
}
