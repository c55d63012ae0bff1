// Command talk is both ends of a connection of HTTP/2 on which many streams are under way
// at once, in pieces of any size: talk SEED STREAMS. It waits for a line, and prints what
// each stream was, one a line: its path, status, and how it failed (client, server). What
// arrives must be what was sent, but for a traceparent behind the fields of a request.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand"
	"net"
	"os"
	"strconv"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "talk:", err)
		os.Exit(1)
	}
}

// way is one direction: what waits to be sent, and how it is said.
type way struct {
	from, to net.Conn
	out      bytes.Buffer
	framer   *http2.Framer
	block    bytes.Buffer
	encoder  *hpack.Encoder
	said     [][][2]string // header blocks that are to arrive
	arrived  arrived
}

// arrived reads what arrives.
type arrived struct {
	*bufio.Reader
	framer  *http2.Framer
	decoder *hpack.Decoder
	block   []byte
	traces  int
}

// pieces reads in pieces of any size, but for the first, by which the protocol is recognised.
type pieces struct {
	*rand.Rand
	net.Conn
	begun bool
}

func (p *pieces) Read(b []byte) (int, error) {
	if !p.begun {
		p.begun = true
		return p.Conn.Read(b)
	}
	return p.Conn.Read(b[:1+p.Intn(len(b))])
}

// talk is the conversation.
type talk struct {
	*rand.Rand
	client, server way
	open           []*stream
	newest         uint32
}

// stream is a request and where it is.
type stream struct {
	id             uint32
	path           string
	asks, answered bool // the request goes on; the answer has a head
	status         int
}

func run() error {
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err
	}
	seed, _ := strconv.ParseInt(os.Args[1], 10, 64)
	streams, _ := strconv.Atoi(os.Args[2])
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return err
	}
	s, err := l.Accept()
	if err != nil {
		return err
	}
	t := &talk{Rand: rand.New(rand.NewSource(seed))}
	t.client.begin(c, s, seed)
	t.server.begin(s, c, seed)
	if seed%2 == 1 { // the socket takes what is sent in parts
		_ = c.(*net.TCPConn).SetWriteBuffer(4096)
		_ = s.(*net.TCPConn).SetReadBuffer(4096)
	}
	if err := t.all(streams); err != nil {
		return err
	}
	_ = c.Close()
	_ = s.Close()
	fmt.Fprintf(os.Stderr, "%d requests had a traceparent\n", t.client.arrived.traces)
	for _, left := range t.open { // no answer, or a part of one
		left.tell("connection_closed", "connection_closed")
	}
	return nil
}

func (w *way) begin(from, to net.Conn, seed int64) {
	w.from, w.to = from, to
	w.arrived.Reader = bufio.NewReader(&pieces{Rand: rand.New(rand.NewSource(seed)), Conn: to})
	w.arrived.framer = http2.NewFramer(nil, w.arrived.Reader)
	w.arrived.framer.SetMaxReadFrameSize(1 << 20)
	w.arrived.decoder = hpack.NewDecoder(4096, nil)
	w.framer = http2.NewFramer(&w.out, nil)
	w.encoder = hpack.NewEncoder(&w.block)
}

func (t *talk) all(streams int) error {
	t.client.out.WriteString(http2.ClientPreface)
	_ = t.client.framer.WriteSettings(http2.Setting{ID: http2.SettingMaxFrameSize, Val: 1 << 20})
	if t.Intn(2) == 0 { // who speaks first
		if err := t.flush(&t.client); err != nil {
			return err
		}
	}
	_ = t.server.framer.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 100})
	for _, w := range []*way{&t.server, &t.client} {
		if err := t.flush(w); err != nil {
			return err
		}
	}
	for begun := 0; begun < streams || len(t.open) > 5; {
		if begun < streams && (len(t.open) == 0 || len(t.open) < 50 && t.Intn(3) == 0) {
			begun++
			t.ask()
			continue
		}
		if err := t.goOn(t.Intn(len(t.open))); err != nil {
			return err
		}
	}
	if err := t.flush(&t.client); err != nil {
		return err
	}
	return t.flush(&t.server)
}

// ask begins a stream.
func (t *talk) ask() {
	t.newest += 1 + t.newest&1 + 2*uint32(t.Intn(2))
	s := &stream{id: t.newest, path: fmt.Sprintf("/%d/%s", t.newest, strings.Repeat("p", t.Intn(40)))}
	t.open = append(t.open, s)
	s.asks = t.Intn(3) == 0
	block := [][2]string{{":method", "GET"}, {":scheme", "http"}, {":path", s.path}, {":authority", "shop:80"}}
	for range t.Intn(4) {
		block = append(block, [2]string{"x-" + strconv.Itoa(t.Intn(20)), strings.Repeat("v", t.Intn(300)*t.Intn(10))})
	}
	t.write(&t.client, s.id, block, !s.asks)
}

// write writes a header block, in frames of any size.
func (t *talk) write(w *way, id uint32, block [][2]string, ends bool) {
	if t.Intn(20) == 0 {
		w.encoder.SetMaxDynamicTableSize(uint32(t.Intn(4096)))
	}
	w.said = append(w.said, block)
	w.block.Reset()
	for _, f := range block {
		_ = w.encoder.WriteField(hpack.HeaderField{Name: f[0], Value: f[1], Sensitive: t.Intn(5) == 0})
	}
	raw := w.block.Bytes()
	first := len(raw)
	if t.Intn(4) == 0 {
		first = t.Intn(len(raw) + 1)
	}
	p := http2.HeadersFrameParam{StreamID: id, BlockFragment: raw[:first], EndStream: ends, EndHeaders: first == len(raw)}
	if t.Intn(3) == 0 {
		p.PadLength = uint8(t.Intn(256))
	}
	if t.Intn(3) == 0 {
		p.Priority = http2.PriorityParam{Weight: 3, StreamDep: 0, Exclusive: true}
	}
	_ = w.framer.WriteHeaders(p)
	for raw = raw[first:]; !p.EndHeaders; {
		n := t.Intn(len(raw) + 1)
		p.EndHeaders = n == len(raw)
		_ = w.framer.WriteContinuation(id, p.EndHeaders, raw[:n])
		raw = raw[n:]
	}
}

// goOn does something on a stream, or on the connection.
func (t *talk) goOn(at int) error {
	s := t.open[at]
	if t.Intn(10) == 0 {
		_ = t.client.framer.WritePing(false, [8]byte{0, 0, 0, 1, 1, 4})
		_ = t.server.framer.WriteWindowUpdate(0, 1000)
	}
	if s.asks {
		s.asks = t.Intn(2) == 0
		return t.client.framer.WriteDataPadded(s.id, !s.asks, make([]byte, t.Intn(3000)), nil)
	}
	if err := t.flush(&t.client); err != nil {
		return err
	}
	switch n := t.Intn(10); {
	case n == 0:
		return t.reset(at)
	case !s.answered:
		if n == 1 {
			t.write(&t.server, s.id, [][2]string{{":status", "103"}, {"link", "x"}}, false)
			return nil
		}
		s.answered, s.status = true, []int{200, 204, 404, 503, 201}[t.Intn(5)]
		ends := t.Intn(4) == 0
		t.write(&t.server, s.id, [][2]string{{":status", strconv.Itoa(s.status)}, {"content-type", "text/plain"}, {"x-more", strings.Repeat("r", t.Intn(3000))}}, ends)
		if !ends {
			return nil
		}
	case n < 5:
		return t.server.framer.WriteData(s.id, false, make([]byte, t.Intn(9000)))
	case n < 7:
		t.write(&t.server, s.id, [][2]string{{"x-trailer", strconv.Itoa(t.Intn(1000))}}, true)
	default:
		_ = t.server.framer.WriteData(s.id, true, make([]byte, t.Intn(2)*t.Intn(9000)))
	}
	t.ends(at)
	return nil
}

func (t *talk) ends(at int) {
	s := t.open[at]
	t.open = append(t.open[:at], t.open[at+1:]...)
	var client, server string
	if s.status >= 400 {
		client = strconv.Itoa(s.status)
	}
	if s.status >= 500 {
		server = client
	}
	s.tell(client, server)
}

// reset ends a stream before its time.
func (t *talk) reset(at int) error {
	if err := t.flush(&t.server); err != nil {
		return err
	}
	s := t.open[at]
	t.open = append(t.open[:at], t.open[at+1:]...)
	if t.Intn(2) == 0 {
		s.tell("INTERNAL_ERROR", "INTERNAL_ERROR")
		_ = t.server.framer.WriteRSTStream(s.id, http2.ErrCodeInternal)
		return t.flush(&t.server)
	}
	_ = t.client.framer.WriteRSTStream(s.id, http2.ErrCodeCancel)
	switch {
	case !s.answered:
		s.tell("CANCEL", "CANCEL")
	case s.status >= 500:
		s.tell(strconv.Itoa(s.status), strconv.Itoa(s.status))
	case s.status >= 400:
		s.tell(strconv.Itoa(s.status), "")
	default:
		s.tell("", "")
	}
	return t.flush(&t.client)
}

// flush sends what waits, in pieces, which are read in others.
func (t *talk) flush(w *way) error {
	raw := bytes.Clone(w.out.Bytes())
	w.out.Reset()
	read := make(chan error, 1)
	all := raw
	go func() { read <- w.read(all) }()
	sizes := []int{len(raw)}
	if t.Intn(2) == 0 || len(raw) == 0 {
		sizes = t.sizes(len(raw))
	}
	for _, n := range sizes {
		if _, err := w.from.Write(raw[:n]); err != nil {
			return err
		}
		raw = raw[n:]
	}
	return <-read
}

// read reads as many frames as were sent.
func (w *way) read(sent []byte) error {
	if rest, ok := bytes.CutPrefix(sent, []byte(http2.ClientPreface)); ok {
		if _, err := io.ReadFull(w.arrived, make([]byte, len(http2.ClientPreface))); err != nil {
			return err
		}
		sent = rest
	}
	for len(sent) > 0 {
		length := int(sent[0])<<16 | int(sent[1])<<8 | int(sent[2])
		frame, err := w.arrived.framer.ReadFrame()
		if err != nil {
			return err
		}
		if err := w.check(frame, sent[:9+length]); err != nil {
			return err
		}
		sent = sent[9+length:]
	}
	return nil
}

// check compares a frame with what was sent.
func (w *way) check(frame http2.Frame, sent []byte) error {
	head := frame.Header()
	if byte(head.Type) != sent[3] || byte(head.Flags) != sent[4] {
		return fmt.Errorf("%v arrived, where % x was sent", head, sent[:9])
	}
	switch f := frame.(type) {
	case *http2.DataFrame:
		if int(head.Length) != len(sent)-9 || !bytes.Equal(f.Data(), sent[9:9+len(f.Data())]) {
			return fmt.Errorf("%v: other data arrived", head)
		}
	case *http2.HeadersFrame:
		w.arrived.block = append(w.arrived.block[:0], f.HeaderBlockFragment()...)
		if f.HeadersEnded() {
			return w.checkBlock()
		}
	case *http2.ContinuationFrame:
		w.arrived.block = append(w.arrived.block, f.HeaderBlockFragment()...)
		if f.HeadersEnded() {
			return w.checkBlock()
		}
	}
	return nil
}

func (w *way) checkBlock() error {
	fields, err := w.arrived.decoder.DecodeFull(w.arrived.block)
	if err != nil {
		return err
	}
	said := w.said[0]
	w.said = w.said[1:]
	if len(fields) == len(said)+1 && fields[len(said)].Name == "traceparent" && len(fields[len(said)].Value) == 55 {
		fields = fields[:len(said)]
		w.arrived.traces++
	}
	if len(fields) != len(said) {
		return fmt.Errorf("%v arrived, where %v was said", fields, said)
	}
	for i, f := range fields {
		if f.Name != said[i][0] || f.Value != said[i][1] {
			return fmt.Errorf("%v arrived, where %v was said", f, said[i])
		}
	}
	return nil
}

func (t *talk) sizes(n int) (sizes []int) {
	for n > 0 {
		size := 1 + t.Intn(n)
		if t.Intn(3) == 0 {
			size = 1 + t.Intn(min(n, 30))
		}
		if len(sizes) == 0 && t.newest == 0 {
			size = n // as it is said, by which the protocol is recognised
		}
		sizes = append(sizes, size)
		n -= size
	}
	return sizes
}

func (s *stream) tell(client, server string) {
	fmt.Printf("%s %d|%s|%s\n", s.path, s.status, client, server)
}
