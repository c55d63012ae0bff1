package kafka

import (
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/bpf/probe"
)

func TestDecode(t *testing.T) {
	app, broker := netip.MustParseAddrPort("10.0.0.1:40000"), netip.MustParseAddrPort("10.0.0.9:9092")
	of := func(f facts) probe.Exchange {
		return probe.Exchange{Kind: probe.Client, Local: app, Peer: broker, Answered: time.Unix(1_700_000_000, 0), RequestHead: f.append(nil)}
	}
	sent := facts{key: keyProduce, topic: "orders", client: "shop", partition: 2, count: 1, offset: 17}
	polled := facts{key: keyFetch, topic: "orders", client: "shop", partition: -1, count: -1, offset: -1}
	nameless, failed, odd := sent, sent, sent
	nameless.topic, nameless.id = "", topicID{1}
	failed.fault, failed.offset = 7, -1
	odd.topic, odd.client, odd.fault = "a\nb", "\xff", 999
	served, silent := of(sent), of(sent)
	served.Kind, served.Local, served.Peer = probe.Server, broker, app
	silent.Answered = time.Time{}
	ends := map[string]any{"server.address": "10.0.0.9", "server.port": int64(9092), "network.peer.address": "10.0.0.9", "network.peer.port": int64(9092), "messaging.system": "kafka"}
	send := map[string]any{
		"messaging.operation.name": "send", "messaging.operation.type": "send", "messaging.destination.name": "orders", "messaging.client.id": "shop",
		"messaging.destination.partition.id": "2", "messaging.batch.message_count": int64(1), "messaging.kafka.offset": int64(17),
	}
	with := func(more map[string]any, without ...string) map[string]any {
		all := map[string]any{}
		for _, from := range []map[string]any{ends, send, more} {
			for k, v := range from {
				all[k] = v
			}
		}
		for _, k := range without {
			delete(all, k)
		}
		return all
	}
	for name, tc := range map[string]struct {
		exchange probe.Exchange
		wantName string
		want     map[string]any
	}{
		"a record is sent": {of(sent), "send orders", with(nil)},
		"records are read": {of(polled), "poll orders", with(map[string]any{"messaging.operation.name": "poll", "messaging.operation.type": "receive"},
			"messaging.destination.partition.id", "messaging.batch.message_count", "messaging.kafka.offset")},
		"a topic without a name": {of(nameless), "send", with(map[string]any{"odi.kafka.topic.id": "AQAAAAAAAAAAAAAAAAAAAA"}, "messaging.destination.name")},
		"an error":               {of(failed), "send orders", with(map[string]any{"error.type": "REQUEST_TIMED_OUT"}, "messaging.kafka.offset")},
		"what cannot be a name":  {of(odd), "send", with(map[string]any{"error.type": "999"}, "messaging.destination.name", "messaging.client.id")},
		"no answer":              {silent, "send orders", with(map[string]any{"error.type": "no_response"})},
		"a broker":               {served, "send orders", with(map[string]any{"network.peer.address": "10.0.0.1", "network.peer.port": int64(40000)})},
		"nothing":                {probe.Exchange{}, "", map[string]any{}},
		"another key":            {of(facts{key: 9}), "", map[string]any{}},
	} {
		t.Run(name, func(t *testing.T) {
			var span probe.Span
			Decode(&tc.exchange, &span)
			if span.Name != tc.wantName {
				t.Errorf("it is called %q, want %q", span.Name, tc.wantName)
			}
			got := map[string]any{}
			for _, a := range span.Attributes {
				got[a.Key] = a.Text
				if a.IsNumber {
					got[a.Key] = a.Number
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("attributes (-want +got):\n%s", diff)
			}
			if _, isError := got["error.type"]; isError != span.Failed || (span.Instrument != nil) != (span.Name != "" && tc.exchange.Kind == probe.Client) {
				t.Errorf("failed: %v, instrument: %v", span.Failed, span.Instrument)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add((&facts{key: keyProduce, topic: "orders", client: "shop", partition: 2, count: 1, offset: 17}).append(nil))
	f.Add((&facts{key: keyFetch, id: topicID{1}, partition: -1, count: -1, offset: -1, fault: 3}).append(nil))
	f.Fuzz(func(t *testing.T, head []byte) {
		var span probe.Span
		Decode(&probe.Exchange{Kind: probe.Client, RequestHead: head}, &span)
		for _, a := range span.Attributes {
			if len(a.Text) > textMax+5 || strings.ContainsAny(a.Text, "\x00\r\n") || !utf8.ValidString(a.Text) {
				t.Errorf("%s is %q", a.Key, a.Text)
			}
		}
	})
}
