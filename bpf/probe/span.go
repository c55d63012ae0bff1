package probe

// Span is what a protocol room reads out of an exchange: its name, whether it
// failed, and its attributes in the order in which they were put. Ids, times and
// kind are the exchange's; the resource is that of the process.
//
// One Span serves one exchange after the other, so that a request costs no
// memory of its own: Reset empties it and keeps what it holds for the next.
type Span struct {
	Name       string
	Failed     bool
	Attributes []Attribute
}

// Attribute is a key with a text or, where IsNumber says so, a number.
type Attribute struct {
	Key      string
	Text     string
	Number   int64
	IsNumber bool
}

// Reset empties the span.
func (s *Span) Reset() {
	*s = Span{Attributes: s.Attributes[:0]}
}

// PutText adds an attribute; a key is put once only.
func (s *Span) PutText(key, value string) {
	s.Attributes = append(s.Attributes, Attribute{Key: key, Text: value})
}

// PutNumber adds an attribute; a key is put once only.
func (s *Span) PutNumber(key string, value int64) {
	s.Attributes = append(s.Attributes, Attribute{Key: key, Number: value, IsNumber: true})
}
