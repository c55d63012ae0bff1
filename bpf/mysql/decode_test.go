package mysql

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/bpf/database"
	"github.com/odi-dev/odi/bpf/probe"
)

// asks makes a head as the kernel does.
func asks(text string, code uint16) []byte {
	b := make([]byte, textAt, textAt+len(text))
	binary.NativeEndian.PutUint16(b, uint16(len(text)))
	binary.NativeEndian.PutUint16(b[codeAt:], code)
	return append(b, text...)
}

func TestDecode(t *testing.T) {
	app, server := netip.MustParseAddrPort("10.0.0.1:40000"), netip.MustParseAddrPort("10.0.0.9:3306")
	client := func(head []byte) probe.Exchange {
		return probe.Exchange{Kind: probe.Client, Local: app, Peer: server, Answered: time.Unix(1_700_000_000, 0), RequestHead: head}
	}
	reset := client(asks("SELECT 1", 0))
	reset.Error = probe.ErrorReset
	for name, tc := range map[string]struct {
		exchange probe.Exchange
		wantName string
		want     map[string]string
	}{
		"a query": {client(asks("select * from `orders` where id = 42 and name = \"x y\"", 0)), "SELECT orders", map[string]string{
			"db.operation.name": "SELECT", "db.collection.name": "orders", "db.query.text": "select * from orders where id = ? and name = ?",
		}},
		"with parameters": {client(asks("INSERT INTO orders VALUES (?, ?)", 0)), "INSERT orders", map[string]string{
			"db.operation.name": "INSERT", "db.collection.name": "orders", "db.query.text": "INSERT INTO orders VALUES ( ? )",
		}},
		"an error": {client(asks("SELECT 1", 1146)), "SELECT", map[string]string{
			"db.operation.name": "SELECT", "db.query.text": "SELECT ?", "db.response.status_code": "1146", "error.type": "1146",
		}},
		"one that is not kept": {client(asks("", 0)), "mysql", map[string]string{}},
		"a reset":              {reset, "SELECT", map[string]string{"db.operation.name": "SELECT", "db.query.text": "SELECT ?", "error.type": "connection_reset"}},
		"too short":            {client(asks("", 0)[:5]), "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			var span probe.Span
			Decode(&tc.exchange, &span)
			if span.Name != tc.wantName {
				t.Errorf("it is called %q, want %q", span.Name, tc.wantName)
			}
			if tc.want == nil {
				return
			}
			got := map[string]string{}
			for _, a := range span.Attributes {
				if strings.HasPrefix(a.Key, "db.") && a.Key != "db.system.name" || a.Key == "error.type" {
					got[a.Key] = a.Text
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("attributes (-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(asks("SELECT * FROM orders WHERE a = 'x'", 1146))
	f.Fuzz(func(t *testing.T, head []byte) {
		var span probe.Span
		Decode(&probe.Exchange{Kind: probe.Client, RequestHead: head}, &span)
		for _, a := range span.Attributes {
			if len(a.Text) > database.TextMax+8 {
				t.Errorf("%s has %d bytes", a.Key, len(a.Text))
			}
		}
	})
}
