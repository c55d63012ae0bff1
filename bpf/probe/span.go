package probe

// Span is what a protocol room reads out of an exchange: its name, whether it
// failed, its attributes in the order in which they were put, and what the odiglet
// asks of requests of any protocol. Ids, times and kind are the exchange's; the
// resource is that of the process.
//
// One Span serves one exchange after the other, so that a request costs no
// memory of its own: Reset empties it and keeps what it holds for the next. Its
// texts may be the exchange's bytes: who keeps one beyond the handler copies it.
type Span struct {
	// Name without a route; empty: the bytes are no request.
	Name   string
	Failed bool
	// Measured says that nothing is recorded of the request but its duration.
	Measured   bool
	Attributes []Attribute

	// Instrument is where the duration is recorded, by the attributes that are
	// labels; nil: nowhere.
	Instrument *Instrument
	// Path is what was asked for, in protocols that have paths.
	Path Path
	// UserAgent is what the client calls itself; empty where it does not.
	UserAgent string
	// Server and Port are the server as the client named it.
	Server string
	Port   int

	addresses *addresses // as text; what they are does not depend on the exchange
}

// Path is the path of a request.
type Path struct {
	// Text has no query.
	Text string
	// Cut says that its end is missing.
	Cut bool
	// Route is the attribute for the route of the path; empty: the protocol has no
	// routes. RouteIsLabel makes it a label.
	Route        string
	RouteIsLabel bool
}

// Instrument is a histogram of durations in seconds. Two are the same if their
// addresses are.
type Instrument struct {
	// Name is unique.
	Name        string
	Description string
	// RequestBody and ResponseBody are where the sizes of bodies are recorded, by the
	// same attributes, as far as they are known; nil: nowhere.
	RequestBody, ResponseBody *Sizes
}

// Sizes is a histogram of sizes in bytes.
type Sizes struct {
	// Name is unique.
	Name        string
	Description string
}

// Attribute is a key with a text or, where IsNumber says so, a number.
type Attribute struct {
	Key      string
	Text     string
	Number   int64
	IsNumber bool
	// IsLabel says that the span's Instrument tells series apart by it.
	IsLabel bool
}

// Reset empties the span.
func (s *Span) Reset() {
	clear(s.Attributes)
	*s = Span{Attributes: s.Attributes[:0], addresses: s.addresses}
}

// PutText adds an attribute; a key is put once only.
func (s *Span) PutText(key, value string) {
	a := s.next()
	a.Key, a.Text = key, value
}

// PutNumber adds an attribute; a key is put once only.
func (s *Span) PutNumber(key string, value int64) {
	a := s.next()
	a.Key, a.Number, a.IsNumber = key, value, true
}

// LabelText adds an attribute that is a label too: one of few values.
func (s *Span) LabelText(key, value string) {
	a := s.next()
	a.Key, a.Text, a.IsLabel = key, value, true
}

// LabelNumber adds an attribute that is a label too: one of few values.
func (s *Span) LabelNumber(key string, value int64) {
	a := s.next()
	a.Key, a.Number, a.IsNumber, a.IsLabel = key, value, true, true
}

// next adds an empty attribute. Those that are left from the request before are
// empty, too: to write fields into one costs half of what appending it does.
func (s *Span) next() *Attribute {
	n := len(s.Attributes)
	if n == cap(s.Attributes) {
		s.Attributes = append(s.Attributes, Attribute{})
	}
	s.Attributes = s.Attributes[:n+1]
	return &s.Attributes[n]
}

// PutEnds adds who was asked, and by whom, by the addresses of the connection: for protocols
// whose requests do not name their server.
func (s *Span) PutEnds(x *Exchange) {
	if x.Peer.IsValid() {
		s.PutText("network.peer.address", s.AddressText(x.Peer.Addr()))
		s.PutNumber("network.peer.port", int64(x.Peer.Port()))
	}
	server := x.Local
	if x.Kind == Client {
		server = x.Peer
	}
	if server.IsValid() {
		s.Server, s.Port = s.AddressText(server.Addr()), int(server.Port())
		s.LabelText("server.address", s.Server)
		s.LabelNumber("server.port", int64(s.Port))
	}
}
