package http2

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http2/hpack"

	"github.com/odi-dev/odi/bpf/probe"
)

// script makes events as the kernel does, of one connection, and keeps what comes of them.
type script struct {
	probe.Follower
	kind    probe.Kind
	now     time.Time
	seq     [2]uint32 // client's, server's
	block   [2]bytes.Buffer
	encoder [2]*hpack.Encoder
	lost    map[string]int
	spans   []string
	got     []probe.Exchange
}

func newScript(kind probe.Kind) *script {
	s := &script{kind: kind, now: time.Unix(1000, 0), lost: map[string]int{}}
	s.Follower = Follow(func(_ uint32, reason string) { s.lost[reason]++ })
	for i := range s.encoder {
		s.encoder[i] = hpack.NewEncoder(&s.block[i])
	}
	return s
}

func (s *script) handle(x *probe.Exchange) {
	s.got = append(s.got, *x)
	var span probe.Span
	Decode(x, &span)
	failed := ""
	for _, a := range span.Attributes {
		if a.Key == "error.type" {
			failed = " " + a.Text
		}
	}
	s.spans = append(s.spans, fmt.Sprintf("%s %s %d%s", span.Name, span.Path.Text, x.StatusCode, failed))
}

// encode returns an event's bytes.
func encode(n note) []byte {
	raw := binary.NativeEndian.AppendUint64(nil, n.conn)
	for _, v := range []uint32{n.stream, n.seq, n.code} {
		raw = binary.NativeEndian.AppendUint32(raw, v)
	}
	byClient := byte(0)
	if n.byClient {
		byClient = 1
	}
	return append(append(raw, n.kind, byClient, n.bits, 0), n.block...)
}

// event sends one; the clock goes on by a millisecond.
func (s *script) event(n note) {
	side := 1
	if n.byClient {
		side = 0
	}
	if n.kind < tellClosed || n.kind == tellTurned {
		n.seq = s.seq[side]
		s.seq[side]++
	}
	s.now = s.now.Add(time.Millisecond)
	s.Take(&probe.Exchange{Kind: s.kind, PID: 7, Start: s.now, RequestHead: encode(n), SpanID: [8]byte{1}, TraceID: [16]byte{2}, RequestBodySize: -1, ResponseBodySize: -1}, s.handle)
}

// says encodes a header block of lines "name: value".
func (s *script) says(side int, lines ...string) []byte {
	s.block[side].Reset()
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		_ = s.encoder[side].WriteField(hpack.HeaderField{Name: name, Value: value})
	}
	return slices.Clone(s.block[side].Bytes())
}

func (s *script) asks(stream uint32, path string, more ...string) {
	lines := append([]string{":method: GET", ":scheme: http", ":authority: shop", ":path: " + path}, more...)
	s.event(note{kind: tellBlock, byClient: true, stream: stream, bits: noteFirst | noteLast | noteNew, block: s.says(0, lines...)})
}

func (s *script) answers(stream uint32, ends bool, lines ...string) {
	bits := uint8(noteFirst | noteLast)
	if ends {
		bits |= noteEndStream
	}
	s.event(note{kind: tellBlock, stream: stream, bits: bits, block: s.says(1, lines...)})
}

func (s *script) check(t *testing.T, spans []string, lost map[string]int) {
	t.Helper()
	if diff := cmp.Diff(spans, s.spans); diff != "" {
		t.Errorf("spans (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(lost, s.lost); diff != "" {
		t.Errorf("lost (-want +got):\n%s", diff)
	}
}

func TestAnswersFindTheirRequests(t *testing.T) {
	s := newScript(probe.Server)
	s.asks(1, "/a")
	s.asks(3, "/b")
	s.answers(3, false, ":status: 404")
	s.answers(1, false, ":status: 100")
	s.answers(1, false, ":status: 200")
	s.event(note{kind: tellEnd, stream: 3})
	s.answers(1, true, "x-trailer: 1")
	s.asks(5, "/c")
	s.event(note{kind: tellReset, byClient: true, stream: 5, code: codeCancel})
	s.asks(7, "/d")
	s.asks(9, "/e")
	s.event(note{kind: tellGoAway, stream: 7})
	s.event(note{kind: tellClosed, seq: s.seq[0], code: s.seq[1], byClient: true})
	s.check(t, []string{"GET /b 404", "GET /a 200", "GET /c 0 CANCEL", "GET /e 0 REFUSED_STREAM", "GET /d 0 no_response"}, map[string]int{})
	if x := s.got[1]; x.Start != time.Unix(1000, 0).Add(time.Millisecond) || x.End != time.Unix(1000, 0).Add(7*time.Millisecond) || !x.Answered.Before(x.End) {
		t.Errorf("times %v, %v, %v", x.Start, x.Answered, x.End)
	}
}

// TestWhatIsLostIsNotMadeUp: behind events that are lost, what was said before them is
// unknown; requests that were under way give no span.
func TestWhatIsLostIsNotMadeUp(t *testing.T) {
	s := newScript(probe.Server)
	s.asks(1, "/before")
	s.answers(1, true, ":status: 200")
	s.asks(3, "/under/way")
	s.says(0, ":path: /nobody/knows", "x: y") // changes the table, and is lost
	s.seq[0]++
	s.asks(7, "/before") // now is one that stands for what was said
	s.answers(7, true, ":status: 200")
	s.asks(9, "/after")
	s.answers(9, true, ":status: 200")
	s.asks(11, "/after")
	s.answers(11, true, ":status: 200")
	s.check(t, []string{"GET /before 200", "GET  200", "GET /after 200", "GET /after 200"}, map[string]int{ringFull: 1, joinedMidway: 3})
}

// TestWhatIsUnknownStaysSo: whatever a table held, and whatever comes behind the place
// where events are missing, what is read is right or unknown.
func TestWhatIsUnknownStaysSo(t *testing.T) {
	for at := range 200 {
		var d direction
		d.begin()
		var block bytes.Buffer
		encoder := hpack.NewEncoder(&block)
		known := 0
		for i := range 300 {
			block.Reset()
			var said []hpack.HeaderField
			for k := range 4 {
				f := hpack.HeaderField{Name: fmt.Sprint("x-", i*(k+3)%17), Value: strings.Repeat("v", i*k%70) + fmt.Sprint(i%(k*20+1))}
				said = append(said, f)
				_ = encoder.WriteField(f)
			}
			if i == at {
				d.forget()
			}
			var read []hpack.HeaderField
			d.decoder.SetEmitFunc(func(f hpack.HeaderField) { read = append(read, f) })
			if _, err := d.decoder.Write(block.Bytes()); err != nil {
				t.Fatalf("joined at %d, block %d: %v", at, i, err)
			}
			_ = d.decoder.Close()
			for k, f := range read {
				isUnknown := i >= at && f.Name == "" && (f.Value == "" || f.Value == said[k].Value)
				if !isUnknown && (f.Name != said[k].Name || f.Value != said[k].Value) {
					t.Fatalf("joined at %d, block %d: read %v, said %v", at, i, f, said[k])
				}
				if f.Name != "" {
					known++
				}
			}
		}
		if known == 0 {
			t.Fatalf("joined at %d: nothing is known", at)
		}
	}
}

func TestWhatIsBrokenIsCounted(t *testing.T) {
	s := newScript(probe.Client)
	s.event(note{kind: tellBlock, byClient: true, stream: 1, bits: noteFirst | noteLast | noteNew, block: []byte{0xff, 0xff, 0xff, 0xff, 0xff}})
	s.asks(3, "/a")
	s.event(note{kind: tellBlock, stream: 3, bits: noteFirst | noteLast, block: []byte{0xfe}})
	s.asks(5, "/b")
	s.answers(5, true, ":status: 200")
	s.event(note{kind: tellBlock, byClient: true, stream: 7, bits: noteLast, block: []byte{0x82}}) // its first bytes are missing
	s.event(note{kind: 99, stream: 7})
	s.event(note{kind: tellLost, byClient: true})
	s.check(t, []string{"GET /b 200"}, map[string]int{unparsable: 2})
	s.Take(&probe.Exchange{RequestHead: []byte("short")}, s.handle)
}

// TestEarlyAnswers: a client may have read an answer before what it has sent is looked at.
func TestEarlyAnswers(t *testing.T) {
	s := newScript(probe.Client)
	s.answers(1, true, ":status: 200")
	s.answers(3, false, ":status: 404")
	s.asks(1, "/a")
	s.asks(3, "/b")
	s.event(note{kind: tellEnd, stream: 3})
	s.answers(3, true, ":status: 500") // nobody asks for it
	for id := range uint32(2 * earlyMax) {
		s.answers(101+2*id, true, ":status: 200")
	}
	s.event(note{kind: tellClosed, byClient: true, seq: s.seq[0], code: s.seq[1]})
	s.check(t, []string{"GET /a 200", "GET /b 404 404"}, map[string]int{})
	if f := s.Follower.(*follower); f.streams != 0 || len(f.conns) != 0 || f.recent.Len() != 0 {
		t.Errorf("%d streams and %d connections are left", f.streams, len(f.conns))
	}
}

// TestBounds: who opens streams or connections without end takes no more than its share.
func TestBounds(t *testing.T) {
	s := newScript(probe.Server)
	for id := range uint32(ofConnMax + 10) {
		s.asks(1+2*id, "/")
	}
	for id := range uint64(connsMax + 5) {
		s.seq = [2]uint32{}
		s.encoder[0] = hpack.NewEncoder(&s.block[0])
		s.event(note{kind: tellBlock, conn: 1 + id, byClient: true, stream: 1, bits: noteFirst | noteLast | noteNew, block: s.says(0, ":method: GET", ":path: /")})
	}
	f := s.Follower.(*follower)
	if len(f.conns) != connsMax || f.recent.Len() != connsMax || f.streams != connsMax {
		t.Errorf("%d connections, %d streams", len(f.conns), f.streams)
	}
	// The first connection, with all of its streams, and five more gave way.
	s.check(t, nil, map[string]int{pipelined: 10 + ofConnMax + 5})
}

func TestTraces(t *testing.T) {
	const header = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	for _, kind := range []probe.Kind{probe.Client, probe.Server} {
		s := newScript(kind)
		s.asks(1, "/", header)
		s.answers(1, true, ":status: 200")
		s.asks(3, "/", header[:len(header)-1])
		s.answers(3, true, ":status: 200")
		if x := s.got[0]; x.TraceID[0] != 0x0a || x.ParentSpanID[0] != 0xb7 || x.TraceFlags != 1 || x.Link != probe.LinkHeader {
			t.Errorf("side %d: %+v", kind, x)
		}
		if x := s.got[1]; x.TraceID[0] != 2 || x.ParentSpanID[0] != 0 || x.Link != probe.LinkNone {
			t.Errorf("side %d, cut: %+v", kind, x)
		}
	}
	for header, want := range map[string]bool{
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01":   true,
		"00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01":   false,
		"ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01":   false,
		"01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x": true,
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x": false,
		"00-00000000000000000000000000000000-b7ad6b7169203331-01":   false,
		"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01":   false,
		"": false,
	} {
		if _, _, _, ok := parseTrace(header); ok != want {
			t.Errorf("%s is %v", header, ok)
		}
	}
}

// TestOneCallForSeveral: who has written several requests with one call is the parent of
// none of them for sure, but for those that are tied to who has asked for them.
func TestOneCallForSeveral(t *testing.T) {
	s := newScript(probe.Client)
	ask := func(stream uint32, at int, bits uint8) {
		block := s.says(0, ":method: GET", ":path: /")
		s.Take(&probe.Exchange{
			Kind: probe.Client, Start: time.Unix(int64(at), 0), Link: probe.LinkThread, TraceID: [16]byte{9}, ParentSpanID: [8]byte{9},
			RequestHead: encode(note{kind: tellBlock, byClient: true, stream: stream, seq: s.seq[0], bits: noteFirst | noteLast | noteNew | bits, block: block}),
		}, s.handle)
		s.seq[0]++
	}
	ask(1, 10, 0)
	ask(3, 20, 0)
	ask(5, 20, 0)
	ask(7, 30, 0)
	ask(9, 40, noteTied)
	ask(11, 40, 0)
	ask(13, 40, noteTied)
	for id := range uint32(7) {
		s.answers(1+2*id, true, ":status: 200")
	}
	var linked []bool
	for _, x := range s.got {
		linked = append(linked, x.Link == probe.LinkThread && x.ParentSpanID[0] == 9 && x.TraceID == [16]byte{9})
	}
	if diff := cmp.Diff([]bool{true, false, false, true, true, false, true}, linked); diff != "" {
		t.Errorf("linked (-want +got):\n%s", diff)
	}
}

// FuzzFollow: whatever the kernel says, in whatever order, requests have a begin, an end
// and text, and what is kept stays bounded.
func FuzzFollow(f *testing.F) {
	s := newScript(probe.Server)
	block := s.says(0, ":method: POST", ":path: /odi.Test/Call", "content-type: application/grpc", "te: trailers")
	piece := func(kind, bits, stream, skip byte, block []byte) []byte {
		return append([]byte{kind, bits, stream, skip, byte(len(block))}, block...)
	}
	f.Add(slices.Concat(piece(1, 0x8b, 1, 0, block), piece(1, 0x07, 1, 0, s.says(1, ":status: 200", "grpc-status: 5"))))
	f.Add(slices.Concat(piece(1, 0x8b, 1, 0, []byte{0x3f, 0xe1, 0xff, 0xff, 0xff, 0x7f}), piece(3, 0x80, 1, 0, nil)))           // a table of 4 GiB
	f.Add(slices.Concat(piece(1, 0x89, 1, 0, []byte{0x40, 0x7f, 0xff}), piece(1, 0x82, 1, 0, bytes.Repeat([]byte{0xbe}, 200)))) // one entry again and again
	f.Add(slices.Concat(piece(1, 0x8b, 3, 1, block), piece(2, 0, 3, 0, nil), piece(5, 0x80, 0, 0, nil)))
	f.Add(slices.Concat(piece(1, 0x8b, 3, 0, block), piece(4, 0, 1, 0, nil), piece(6, 0x80, 0, 0, nil)))
	f.Add(piece(7, 0x8b, 1, 0, []byte("GET /a HTTP/1.1\r\nhost: a\r\n")))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s := newScript(probe.Kind(1 + len(raw)%2))
		for len(raw) >= 5 {
			n := min(int(raw[4]), len(raw)-5)
			side := 1 - int(raw[1]>>7)
			s.seq[side] += uint32(raw[3])
			s.event(note{conn: uint64(raw[2] >> 4), kind: raw[0], byClient: raw[1]&0x80 != 0, bits: raw[1] & 0x3f, stream: uint32(raw[2]), code: uint32(raw[3]), block: raw[5 : 5+n]})
			raw = raw[5+n:]
		}
		for _, x := range s.got {
			if x.Start.IsZero() || x.End.Before(x.Start) || len(x.RequestHead) > 16<<10 || len(x.AnswerHead) > 4<<10 {
				t.Fatalf("%+v", x)
			}
		}
		for _, span := range s.spans {
			if !utf8.ValidString(span) {
				t.Fatalf("%q", span)
			}
		}
	})
}

// BenchmarkFollow is what a unary call costs user space, without its encoding as OTLP.
func BenchmarkFollow(b *testing.B) {
	var span probe.Span
	f := Follow(func(uint32, string) {})
	s := newScript(probe.Server)
	var events []probe.Exchange
	add := func(n note) {
		events = append(events, probe.Exchange{Kind: probe.Server, Start: time.Unix(1, 0), RequestHead: encode(n)})
	}
	for i := range 2 { // the second stands for all that come
		add(note{kind: tellBlock, byClient: true, seq: uint32(i), stream: 1, bits: noteFirst | noteLast | noteNew, block: s.says(0,
			":method: POST", ":scheme: http", ":path: /odi.Shop/Buy", ":authority: shop:50051", "content-type: application/grpc", "user-agent: grpc-go/1.84.0", "te: trailers", "grpc-timeout: 1S")})
		add(note{kind: tellBlock, seq: uint32(2 * i), stream: 1, bits: noteFirst | noteLast, block: s.says(1, ":status: 200", "content-type: application/grpc")})
		add(note{kind: tellBlock, seq: uint32(2*i + 1), stream: 1, bits: noteFirst | noteLast | noteEndStream, block: s.says(1, "grpc-status: 0", "grpc-message: ")})
	}
	spans := 0
	handle := func(x *probe.Exchange) {
		span.Reset()
		Decode(x, &span)
		spans++
	}
	seqs := [2]uint32{}
	b.ReportAllocs()
	for i := range b.N {
		from := 3
		if i == 0 {
			from = 0
		}
		for k := range events[from : from+3] {
			event := events[from+k]
			side := 1
			if k == 0 {
				side = 0
			}
			binary.NativeEndian.PutUint32(event.RequestHead[8:], uint32(1+2*i))
			binary.NativeEndian.PutUint32(event.RequestHead[12:], seqs[side])
			seqs[side]++
			f.Take(&event, handle)
		}
	}
	if spans != b.N {
		b.Errorf("%d spans of %d calls", spans, b.N)
	}
}
