package postgres

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/bpf/database"
	"github.com/odi-dev/odi/bpf/probe"
)

// said makes a head as the kernel does.
func said(n uint32, text, code string) []byte {
	b := make([]byte, textAt, textAt+len(text))
	binary.NativeEndian.PutUint32(b, n)
	params := "user\x00alice\x00database\x00shop\x00\x00"
	binary.NativeEndian.PutUint16(b[4:], uint16(len(params)))
	binary.NativeEndian.PutUint16(b[6:], uint16(len(text)))
	copy(b[codeAt:], code)
	copy(b[paramsAt:], params)
	return append(b, text...)
}

func TestDecode(t *testing.T) {
	app, server := netip.MustParseAddrPort("10.0.0.1:40000"), netip.MustParseAddrPort("10.0.0.9:5432")
	client := func(head []byte) probe.Exchange {
		return probe.Exchange{Kind: probe.Client, Local: app, Peer: server, Answered: time.Unix(1_700_000_000, 0), RequestHead: head}
	}
	reset := client(said(1, "SELECT 1", ""))
	reset.Error = probe.ErrorReset
	served := client(said(1, "SELECT 1", ""))
	served.Kind, served.Local, served.Peer = probe.Server, server, app
	for name, tc := range map[string]struct {
		exchange probe.Exchange
		wantName string
		want     map[string]any // db.* and error.type, without db.system.name and db.namespace
	}{
		"a query": {client(said(1, "select * from orders where id = 42 and name = 'x y'", "")), "SELECT orders", map[string]any{
			"db.operation.name": "SELECT", "db.collection.name": "orders", "db.query.text": "select * from orders where id = ? and name = ?",
		}},
		"with parameters": {client(said(1, "INSERT INTO shop.orders (id) VALUES ($1)", "")), "INSERT shop.orders", map[string]any{
			"db.operation.name": "INSERT", "db.collection.name": "shop.orders", "db.query.text": "INSERT INTO shop.orders ( id ) VALUES ( $1 )",
		}},
		"of two tables": {client(said(1, "SELECT a FROM x JOIN y ON x.id = y.id", "")), "SELECT", map[string]any{
			"db.operation.name": "SELECT", "db.query.text": "SELECT a FROM x JOIN y ON x.id = y.id",
		}},
		"of none": {client(said(1, "BEGIN", "")), "BEGIN", map[string]any{"db.operation.name": "BEGIN", "db.query.text": "BEGIN"}},
		"an error": {client(said(1, "SELECT 1", "42P01")), "SELECT", map[string]any{
			"db.operation.name": "SELECT", "db.query.text": "SELECT ?", "db.response.status_code": "42P01", "error.type": "42P01",
		}},
		"a batch": {client(said(3, "UPDATE x SET a = 1", "")), "BATCH UPDATE x", map[string]any{
			"db.operation.name": "BATCH UPDATE", "db.collection.name": "x", "db.operation.batch.size": int64(3),
		}},
		"one that is not kept": {client(said(1, "", "")), "postgresql", map[string]any{}},
		"a reset":              {reset, "SELECT", map[string]any{"db.operation.name": "SELECT", "db.query.text": "SELECT ?", "error.type": "connection_reset"}},
		"a server":             {served, "SELECT", map[string]any{"db.operation.name": "SELECT", "db.query.text": "SELECT ?"}},
		"nothing executed":     {client(said(0, "SELECT 1", "")), "", nil},
		"too short":            {client(said(1, "", "")[:90]), "", nil},
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
			got := map[string]any{}
			for _, a := range span.Attributes {
				got[a.Key] = a.Text
				if a.IsNumber {
					got[a.Key] = a.Number
				}
			}
			for key, want := range map[string]any{
				"db.system.name": "postgresql", "db.namespace": "shop", "server.address": "10.0.0.9", "server.port": int64(5432),
				"network.peer.address": tc.exchange.Peer.Addr().String(), "network.peer.port": int64(tc.exchange.Peer.Port()),
			} {
				if got[key] != want {
					t.Errorf("%s is %v, want %v", key, got[key], want)
				}
				delete(got, key)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("attributes (-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(said(1, "SELECT * FROM orders WHERE a = 'x'", "42P01"))
	f.Add(said(2, "WITH x AS (SELECT $$a$$) SELECT", ""))
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

func BenchmarkDecode(b *testing.B) {
	x := probe.Exchange{Kind: probe.Client, RequestHead: said(1, "SELECT o.id, o.total, c.name FROM orders o JOIN customers c ON c.id = o.customer WHERE o.id = $1 AND o.state = 'open' LIMIT 10", "")}
	var span probe.Span
	b.ReportAllocs()
	for b.Loop() {
		span.Reset()
		Decode(&x, &span)
	}
}
