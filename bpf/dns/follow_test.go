package dns

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/odi-dev/odi/bpf/probe"
)

// conversation makes events, and collects what comes of them.
type conversation struct {
	f    *follower
	got  []string
	lost []string
	took []time.Duration
	now  time.Time
	last facts
}

const resolvConf = "search shop.svc svc cluster\noptions ndots:5\n"

func newConversation() *conversation {
	c := &conversation{now: time.Unix(1000, 0)}
	c.f = newFollower(func(_ uint32, reason string) { c.lost = append(c.lost, reason) }, func(uint32) searchList { return parseSearchList(resolvConf) })
	return c
}

func (c *conversation) handle(x *probe.Exchange) {
	var span probe.Span
	Decode(x, &span)
	failed := ""
	for _, a := range span.Attributes {
		if a.Key == "error.type" {
			failed = " " + a.Text
		}
	}
	c.last, _ = readFacts(x.RequestHead)
	c.got = append(c.got, span.Name+failed)
	c.took = append(c.took, x.End.Sub(x.Start))
}

// query is a message; answers < 0: a question.
func query(id uint16, name string, kind uint16, rcode uint16, answers int) []byte {
	b := binary.BigEndian.AppendUint16(nil, id)
	flags := uint16(0x0100)
	if answers >= 0 {
		flags |= 0x8000 | rcode
	}
	b = binary.BigEndian.AppendUint16(b, flags)
	b = append(b, 0, 1, 0, byte(max(answers, 0)), 0, 0, 0, 0)
	for label := range strings.SplitSeq(name, ".") {
		b = append(append(b, byte(len(label))), label...)
	}
	return append(binary.BigEndian.AppendUint16(append(b, 0), kind), 0, 1)
}

// from is the thread that moves bytes, and on which socket.
type from struct {
	tid  uint32
	conn uint64
}

// move says which way, and whether the socket is one of TCP.
type move struct {
	kind   uint8
	stream bool
}

// asked is what a message is about.
type asked struct {
	id   uint16
	name string
	kind uint16
}

func (c *conversation) moves(after time.Duration, by from, m move, message []byte) {
	c.now = c.now.Add(after)
	raw := binary.NativeEndian.AppendUint64(nil, by.conn)
	raw = binary.NativeEndian.AppendUint32(raw, uint32(len(message)))
	raw = append(raw, m.kind, 0, 0, 0)
	if m.stream {
		raw[13] = 1
	}
	kept := message[:min(len(message), 288)]
	c.f.Take(&probe.Exchange{Kind: probe.Client, PID: 7, TID: by.tid, Start: c.now, End: c.now, RequestHead: append(raw, kept...)}, c.handle)
}

func (c *conversation) asks(tid uint32, conn uint64, id uint16, name string, kind uint16) {
	c.moves(time.Millisecond, from{tid, conn}, move{tellSent, false}, query(id, name, kind, 0, -1))
}

func (c *conversation) answers(by from, q asked, rcode uint16, answers int) {
	c.moves(time.Millisecond, by, move{tellReceived, false}, query(q.id, q.name, q.kind, rcode, answers))
}

func (c *conversation) settles(after time.Duration) {
	c.now = c.now.Add(after)
	c.f.Settle(c.now, c.handle)
}

func TestLookups(t *testing.T) {
	const a, aaaa = 1, 28
	for name, tc := range map[string]struct {
		happens func(c *conversation)
		want    []string
	}{
		"both kinds on one socket": {func(c *conversation) {
			c.asks(1, 5, 100, "Db", a)
			c.asks(1, 5, 200, "db", aaaa)
			c.answers(from{1, 5}, asked{200, "db", aaaa}, 0, 0)
			c.answers(from{1, 5}, asked{100, "dB", a}, 0, 1)
		}, []string{"A db"}},
		"both kinds on two sockets are two": {func(c *conversation) {
			c.asks(1, 5, 100, "db.", a)
			c.asks(2, 6, 200, "db", aaaa)
			c.answers(from{1, 5}, asked{100, "db", a}, 0, 1)
			c.answers(from{2, 6}, asked{200, "db", aaaa}, 0, 1)
		}, []string{"AAAA db"}},
		"the names of the search list": {func(c *conversation) {
			for i, domain := range []string{".shop.svc", ".svc", ".cluster", ""} {
				c.asks(1, uint64(5+i), 100, "db"+domain, a)
				c.answers(from{1, uint64(5 + i)}, asked{100, "db" + domain, a}, 3, 0)
			}
			c.settles(2 * time.Second)
		}, []string{"A db NXDOMAIN"}},
		"another thread does not go on": {func(c *conversation) {
			c.asks(1, 5, 100, "db.shop.svc", a)
			c.answers(from{1, 5}, asked{100, "db.shop.svc", a}, 3, 0)
			c.asks(2, 6, 100, "db.svc", a)
			c.answers(from{2, 6}, asked{100, "db.svc", a}, 0, 1)
			c.settles(2 * time.Second)
		}, []string{"A db.svc", "A db.shop.svc NXDOMAIN"}},
		"nor does another name": {func(c *conversation) {
			c.asks(1, 5, 100, "db.shop.svc", a)
			c.answers(from{1, 5}, asked{100, "db.shop.svc", a}, 3, 0)
			c.asks(1, 6, 100, "cart.svc", a)
			c.answers(from{1, 6}, asked{100, "cart.svc", a}, 0, 1)
			c.settles(2 * time.Second)
		}, []string{"A cart.svc", "A db.shop.svc NXDOMAIN"}},
		"nor the next name after a while": {func(c *conversation) {
			c.asks(1, 5, 100, "db.shop.svc", a)
			c.answers(from{1, 5}, asked{100, "db.shop.svc", a}, 3, 0)
			c.settles(5 * time.Second)
			c.asks(1, 6, 100, "db.svc", a)
			c.answers(from{1, 6}, asked{100, "db.svc", a}, 0, 1)
		}, []string{"A db.shop.svc NXDOMAIN", "A db.svc"}},
		"nothing comes": {func(c *conversation) {
			c.asks(1, 5, 100, "db", a)
			c.moves(5*time.Second, from{1, 5}, move{tellSent, false}, query(100, "db", a, 0, -1))
			c.settles(time.Minute)
		}, []string{"A db timeout"}},
		"the next server answers": {func(c *conversation) {
			c.asks(1, 5, 100, "db", a)
			c.moves(5*time.Second, from{1, 6}, move{tellSent, false}, query(100, "db", a, 0, -1))
			c.answers(from{1, 6}, asked{100, "db", a}, 0, 1)
			c.settles(time.Minute)
		}, []string{"A db"}},
		"the server fails": {func(c *conversation) {
			c.asks(1, 5, 100, "db", a)
			c.answers(from{1, 5}, asked{100, "db", a}, 2, 0)
			c.settles(2 * time.Second)
		}, []string{"A db SERVFAIL"}},
		"an answer to nobody": {func(c *conversation) {
			c.answers(from{1, 5}, asked{100, "db", a}, 0, 1)
			c.asks(1, 5, 101, "db", a)
			c.answers(from{1, 5}, asked{100, "db", a}, 0, 1)
			c.answers(from{1, 5}, asked{101, "other", a}, 0, 1)
			c.answers(from{1, 5}, asked{101, "db", aaaa}, 0, 1)
		}, nil},
		"over TCP, byte by byte": {func(c *conversation) {
			ask, answer := query(100, "db", a, 0, -1), query(100, "db", a, 0, 9)
			answer = append(answer, make([]byte, 700)...)
			for _, b := range append([]byte{0, byte(len(ask))}, ask...) {
				c.moves(0, from{1, 5}, move{tellSent, true}, []byte{b})
			}
			whole := append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)
			c.moves(0, from{1, 5}, move{tellReceived, true}, whole[:2])
			c.moves(0, from{1, 5}, move{tellReceived, true}, whole[2:500])
			c.moves(0, from{1, 5}, move{tellReceived, true}, whole[500:])
			c.moves(0, from{1, 5}, move{tellClosed, true}, nil)
		}, []string{"A db"}},
		"cut, and once more over TCP": {func(c *conversation) {
			ask := query(100, "db", a, 0, -1)
			c.asks(1, 5, 100, "db", a)
			cut := query(100, "db", a, 0, 0)
			cut[2] |= 2
			c.moves(time.Millisecond, from{1, 5}, move{tellReceived, false}, cut)
			c.moves(time.Millisecond, from{9, 6}, move{tellSent, true}, append([]byte{0, byte(len(ask))}, ask...))
			answer := query(100, "db", a, 0, 1)
			c.moves(time.Millisecond, from{9, 6}, move{tellReceived, true}, append([]byte{0, byte(len(answer))}, answer...))
		}, []string{"A db"}},
		"cut, and that is enough": {func(c *conversation) {
			c.asks(1, 5, 100, "db", a)
			cut := query(100, "db", a, 0, 3)
			cut[2] |= 2
			c.moves(time.Millisecond, from{1, 5}, move{tellReceived, false}, cut)
			c.settles(time.Minute)
		}, []string{"A db"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newConversation()
			tc.happens(c)
			if !slices.Equal(c.got, tc.want) {
				t.Errorf("got %q, want %q", c.got, tc.want)
			}
			for _, d := range c.took {
				if d < 0 || d > 10*time.Second {
					t.Errorf("a lookup took %v", d)
				}
			}
		})
	}
}

// TestBounds has more of everything than is kept: nothing grows, and what is lost is counted.
func TestBounds(t *testing.T) {
	c := newConversation()
	for i := range 3 * lookupsMax {
		c.asks(uint32(i), uint64(i), uint16(i), fmt.Sprintf("n%d", i), 1)
	}
	if n := c.f.order.Len(); n > lookupsMax || len(c.f.sockets) > socketsMax || len(c.lost) == 0 {
		t.Errorf("%d lookups, %d sockets, %d lost", n, len(c.f.sockets), len(c.lost))
	}
	c.settles(time.Hour)
	if n := c.f.order.Len(); n != 0 || len(c.f.sockets) != 0 {
		t.Errorf("%d lookups and %d sockets are left", n, len(c.f.sockets))
	}
	names := map[string]bool{}
	for _, name := range c.got {
		names[name] = true
	}
	if len(names) != namesMax+1 || !names["A other timeout"] {
		t.Errorf("%d names", len(names))
	}
}

func TestAfter(t *testing.T) {
	l := parseSearchList("# a comment\nsearch a b\nsearch Shop.svc. svc cluster\nnameserver 1.2.3.4\noptions ndots:2 timeout:x ndots:y\n")
	for name, want := range map[string][]string{
		"db.shop.svc":     {"db.svc", "db", "db.shop.cluster", "db.shop"},
		"db.svc":          {"db.cluster", "db"},
		"db.cluster":      {"db"},
		"a.b.cluster":     {"a.b"},
		"a.b.c.cluster":   nil,
		"db":              nil,
		"www.example.org": {"www.example.org.shop.svc"},
		"cluster":         nil,
		".cluster":        nil,
	} {
		if got := l.after(name); !slices.Equal(got, want) {
			t.Errorf("after %s: %q, want %q", name, got, want)
		}
	}
}

// FuzzTake throws events at the follower: it must not panic, and must forget in the end.
func FuzzTake(f *testing.F) {
	f.Add(query(1, "db.shop.svc", 1, 3, 0), uint8(2), uint64(1), false)
	f.Add(query(1, "db.svc", 28, 0, -1), uint8(1), uint64(1), true)
	f.Add([]byte{0, 12, 0, 0, 0, 0, 0, 1}, uint8(1), uint64(2), true)
	f.Fuzz(func(t *testing.T, message []byte, kind uint8, conn uint64, stream bool) {
		c := newConversation()
		c.asks(1, conn, 1, "db.shop.svc", 1)
		for _, k := range []uint8{kind, tellSent, tellReceived, tellSent, tellClosed} {
			c.moves(time.Millisecond, from{1, conn}, move{k, stream}, message)
		}
		c.settles(time.Hour)
		if n := c.f.order.Len(); n != 0 {
			t.Errorf("%d lookups are left", n)
		}
		for _, name := range c.got {
			if len(name) > nameMax+32 || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Errorf("a name is %q", name)
			}
		}
	})
}

func FuzzParseSearchList(f *testing.F) {
	f.Add(resolvConf, "db.svc")
	f.Fuzz(func(t *testing.T, text, name string) {
		l := parseSearchList(text)
		if len(l.domains) > domainsMax || l.ndots < 0 || l.ndots > 15 {
			t.Errorf("%+v", l)
		}
		if next := l.after(name); len(next) > 2*domainsMax+1 {
			t.Errorf("%d names may follow", len(next))
		}
	})
}
