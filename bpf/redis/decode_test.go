package redis

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/bpf/probe"
)

func head(size uint32, mixed bool, name string) []byte {
	b := make([]byte, headMax)
	binary.NativeEndian.PutUint32(b, size)
	if mixed {
		b[mixedAt] = 1
	}
	copy(b[nameAt:], name)
	return b
}

func TestDecode(t *testing.T) {
	app, server := netip.MustParseAddrPort("10.0.0.1:40000"), netip.MustParseAddrPort("10.0.0.9:6379")
	at := time.Unix(1_700_000_000, 0)
	client := func(head []byte, answer string) probe.Exchange {
		return probe.Exchange{Kind: probe.Client, Local: app, Peer: server, Answered: at, RequestHead: head, AnswerHead: []byte(answer)}
	}
	base := map[string]any{
		"db.system.name": "redis", "network.peer.address": "10.0.0.9", "network.peer.port": int64(6379),
		"server.address": "10.0.0.9", "server.port": int64(6379),
	}
	silent := client(head(1, false, "GET"), "")
	silent.Answered = time.Time{}
	reset := silent
	reset.Error = probe.ErrorReset
	served := client(head(1, false, "GET"), "")
	served.Kind, served.Local, served.Peer = probe.Server, server, app
	for name, tc := range map[string]struct {
		exchange probe.Exchange
		wantName string
		more     map[string]any
	}{
		"a command":                {client(head(1, false, "get"), "\x00\x00"), "GET", map[string]any{"db.operation.name": "GET"}},
		"of a module":              {client(head(1, false, "JSON.SET"), ""), "JSON.SET", map[string]any{"db.operation.name": "JSON.SET"}},
		"a pipeline":               {client(head(9, false, "SET"), ""), "BATCH SET", map[string]any{"db.operation.name": "BATCH SET", "db.operation.batch.size": int64(9)}},
		"a pipeline of many kinds": {client(head(2, true, "SET"), ""), "BATCH", map[string]any{"db.operation.name": "BATCH", "db.operation.batch.size": int64(2)}},
		"an error": {
			client(head(1, false, "GET"), "WRONGTYPE Operation aga"), "GET",
			map[string]any{"db.operation.name": "GET", "db.response.status_code": "WRONGTYPE", "error.type": "WRONGTYPE"},
		},
		"an error without a code": {
			client(head(1, false, "GET"), "user alice is not known"), "GET",
			map[string]any{"db.operation.name": "GET", "db.response.status_code": "ERR", "error.type": "ERR"},
		},
		"an error of a script": {
			client(head(1, false, "EVAL"), "A1B2C3D4 is wrong"), "EVAL",
			map[string]any{"db.operation.name": "EVAL", "db.response.status_code": "ERR", "error.type": "ERR"},
		},
		"a word that is no command": {
			client(head(1, false, "hunter2"), "ERR unknown command 'hun"), "_OTHER",
			map[string]any{"db.operation.name": "_OTHER", "db.response.status_code": "ERR", "error.type": "ERR"},
		},
		"a pipeline of none": {
			client(head(3, false, "hunter2"), "ERR unknown command 'hun"), "BATCH _OTHER",
			map[string]any{"db.operation.name": "BATCH _OTHER", "db.operation.batch.size": int64(3), "db.response.status_code": "ERR", "error.type": "ERR"},
		},
		"no answer": {silent, "GET", map[string]any{"db.operation.name": "GET", "error.type": "no_response"}},
		"a reset":   {reset, "GET", map[string]any{"db.operation.name": "GET", "error.type": "connection_reset"}},
		"a server": {served, "GET", map[string]any{
			"db.operation.name": "GET", "network.peer.address": "10.0.0.1", "network.peer.port": int64(40000),
		}},
		"no command": {client(head(1, false, "a b"), ""), "", nil},
		"cut":        {client(head(1, false, "GET")[:9], ""), "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			var span probe.Span
			Decode(&tc.exchange, &span)
			if span.Name != tc.wantName {
				t.Errorf("it is called %q, want %q", span.Name, tc.wantName)
			}
			want := map[string]any{}
			if tc.wantName != "" {
				for _, from := range []map[string]any{base, tc.more} {
					for k, v := range from {
						want[k] = v
					}
				}
			}
			got := map[string]any{}
			for _, a := range span.Attributes {
				got[a.Key] = a.Text
				if a.IsNumber {
					got[a.Key] = a.Number
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("attributes (-want +got):\n%s", diff)
			}
			if _, isError := got["error.type"]; isError != span.Failed || (span.Instrument != nil) != (span.Name != "" && tc.exchange.Kind == probe.Client) {
				t.Errorf("failed: %v, instrument: %v", span.Failed, span.Instrument)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(head(1, false, "GET"), []byte("ERR unknown command 'x'"))
	f.Add(head(3, true, "JSON.SET"), []byte{})
	f.Fuzz(func(t *testing.T, request, answer []byte) {
		var span probe.Span
		Decode(&probe.Exchange{Kind: probe.Client, RequestHead: request, AnswerHead: answer}, &span)
		for _, a := range span.Attributes {
			if len(a.Text) > 64 || strings.ContainsAny(a.Text, "\x00\r\n") {
				t.Errorf("%s is %q", a.Key, a.Text)
			}
		}
	})
}
