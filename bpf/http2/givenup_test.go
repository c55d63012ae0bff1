package http2_test

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/roomtest"
	"github.com/odi-dev/odi/internal/testkit/loopback"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// TestGivenUp: a stream that its client gives up, at once or later, is a parent to what its handler asks for while that goes
// on, and to nothing else: not to what a goroutine asks for that it has started and that works for others from then on, nor
// to what the goroutine that has served it asks for when it serves another stream.
func TestGivenUp(t *testing.T) {
	bin := peer(t)
	for _, kind := range []string{"http2-pooling", "x-pooling", "grpc-pooling", "grpc-workers-pooling"} {
		t.Run(kind, func(t *testing.T) {
			port, next := loopback.Port(t), loopback.Port(t)
			started(t, program.Command(t, bin, "http-server", "127.0.0.1:"+next))
			listens(t, "127.0.0.1:"+next)
			server := started(t, program.Command(t, bin, kind, "127.0.0.1:"+port, "127.0.0.1:"+next))
			listens(t, "127.0.0.1:"+port)
			f := &family{served: map[string]probe.Exchange{}, made: map[string]probe.Exchange{}}
			e := roomtest.Load(t, f.add)
			if err := e.AddTarget(probe.Target{PID: uint32(server.Process.Pid), Propagate: true, Children: true}); err != nil {
				t.Fatal(err)
			}
			c := hastyTo(t, "127.0.0.1:"+port)
			for i := range 20 { // goroutines of this kind are known to end before the answer
				c.asks(fmt.Sprintf("/warm/%d", i))
				time.Sleep(5 * time.Millisecond)
			}
			for i := range 20 {
				c.asks(fmt.Sprintf("/slow/%d", i))
				time.Sleep(5 * time.Millisecond)
				c.givesUp(c.stream)
			}
			for i := range 20 {
				c.asksAndGivesUp(fmt.Sprintf("/stays/%d", i))
				time.Sleep(5 * time.Millisecond)
			}
			time.Sleep(50 * time.Millisecond)
			for i := range 100 {
				c.asks(fmt.Sprintf("/job/%d", i))
				time.Sleep(5 * time.Millisecond)
			}
			time.Sleep(time.Second)
			j, slow := f.judge(), f.linked("/200/slow/")
			t.Logf("%d requests served, %+v, of the slow ones %d are linked; losses %v", len(f.served), j, slow, e.Drops())
			if j.wrong > 0 || j.made < 150 || slow < 19 {
				t.Errorf("of %d requests %d are linked, %d to the wrong one; of 20 slow ones %d are", j.made, j.linked, j.wrong, slow)
			}
		})
	}
}

// linked counts the requests below a path that have a parent.
func (f *family) linked(below string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for path, x := range f.made {
		if strings.HasPrefix(path, below) && x.Link != probe.LinkNone {
			n++
		}
	}
	return n
}

// hasty is a client that may give up what it has asked for with the same bytes.
type hasty struct {
	t      *testing.T
	conn   net.Conn
	out    bytes.Buffer
	framer *http2.Framer
	head   bytes.Buffer
	packer *hpack.Encoder
	stream uint32
}

func hastyTo(t *testing.T, addr string) *hasty {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	c := &hasty{t: t, conn: conn, stream: 1}
	c.framer = http2.NewFramer(&c.out, conn)
	c.packer = hpack.NewEncoder(&c.head)
	c.out.WriteString(http2.ClientPreface)
	if err := c.framer.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	c.leave()
	go c.answer()
	return c
}

// leave sends what was written, at once.
func (c *hasty) leave() {
	if _, err := c.conn.Write(c.out.Bytes()); err != nil {
		c.t.Error(err)
	}
	c.out.Reset()
}

// answer reads all that comes, to the end.
func (c *hasty) answer() {
	for {
		if _, err := c.framer.ReadFrame(); err != nil {
			return
		}
	}
}

func (c *hasty) begin(path string) {
	c.head.Reset()
	for _, field := range [][2]string{{":method", "POST"}, {":scheme", "http"}, {":path", path}, {":authority", "hasty"}, {"content-type", "application/grpc"}, {"te", "trailers"}} {
		if err := c.packer.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]}); err != nil {
			c.t.Error(err)
		}
	}
	c.stream += 2
	if err := c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: c.stream, BlockFragment: c.head.Bytes(), EndStream: true, EndHeaders: true}); err != nil {
		c.t.Error(err)
	}
}

func (c *hasty) asks(path string) {
	c.begin(path)
	c.leave()
}

func (c *hasty) givesUp(stream uint32) {
	if err := c.framer.WriteRSTStream(stream, http2.ErrCodeCancel); err != nil {
		c.t.Error(err)
	}
	c.leave()
}

// asksAndGivesUp does both with one write.
func (c *hasty) asksAndGivesUp(path string) {
	c.begin(path)
	c.givesUp(c.stream)
}
