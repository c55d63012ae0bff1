package http2

import (
	"flag"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/bpf/probe"
)

var update = flag.Bool("update", false, "write testdata/spans.txt")

// TestSpans holds what spans say against testdata/spans.txt, which a human reads.
func TestSpans(t *testing.T) {
	grpc := []string{"content-type: application/grpc+proto", "te: trailers", "user-agent: grpc-go/1.84.0", "authorization: Bearer SECRET", "x-token-bin: SECRET"}
	ok := func(s *script) {
		s.answers(1, true, ":status: 200", "content-type: application/grpc", "grpc-status: 0")
	}
	ends := func(status string) func(*script) {
		return func(s *script) {
			s.answers(1, false, ":status: 200", "content-type: application/grpc")
			s.answers(1, true, "grpc-status: "+status, "grpc-message: SECRET")
		}
	}
	resets := func(byClient bool, code uint32) func(*script) {
		return func(s *script) { s.event(note{kind: tellReset, byClient: byClient, stream: 1, code: code}) }
	}
	closes := func(s *script) {
		s.event(note{kind: tellClosed, byClient: true, seq: s.seq[0], code: s.seq[1]})
	}
	var got strings.Builder
	for _, tc := range []struct {
		name   string
		asks   []string
		answer func(*script)
	}{
		{"a page", []string{":method: GET", ":scheme: https", ":authority: me:SECRET@shop:8080", ":path: /a?token=SECRET&page=2", "cookie: SECRET", "x-forwarded-for: 192.0.2.7"},
			func(s *script) { s.answers(1, true, ":status: 503", "content-length: 12", "set-cookie: SECRET") }},
		{"a page that its client does not want", []string{":method: GET", ":path: /a"}, resets(true, codeCancel)},
		{"a page that the server refuses", []string{":method: GET", ":path: /a"}, resets(false, codeRefused)},
		{"a page without an answer", []string{":method: GET", ":path: /a"}, closes},
		{"CONNECT", []string{":method: CONNECT", ":authority: shop:443"}, func(s *script) { s.answers(1, true, ":status: 200") }},
		{"a page whose path is not known", []string{":method: POST", ": ", ": "}, func(s *script) { s.answers(1, true, ":status: 200") }},
		{"not quite gRPC", []string{":method: POST", ":path: /a", "content-type: application/grpc-web"}, func(s *script) { s.answers(1, true, ":status: 200") }},
		{"a call", append(grpc, ":method: POST", ":authority: shop:50051", ":path: /odi.Shop/Buy"), ends("0")},
		{"a call that is answered by trailers only", append(grpc, ":method: POST", ":path: /odi.Shop/Buy"), ok},
		{"a call for something that is not there", append(grpc, ":method: POST", ":path: /odi.Shop/Buy"), ends("5")},
		{"a call that the server fails", append(grpc, ":method: POST", ":path: /odi.Shop/Buy"), ends("13")},
		{"a call with a code that nobody knows", append(grpc, ":method: POST", ":path: /odi.Shop/Buy"), ends("99")},
		{"a call that its client cancels", append(grpc, ":method: POST", ":path: /odi.Shop/Buy"), resets(true, codeCancel)},
		{"a call that its server resets", append(grpc, ":method: POST", ":path: /odi.Shop/Buy"), resets(false, 11)},
		{"a call that a proxy answers", append(grpc, ":method: POST", ":path: /odi.Shop/Buy"), func(s *script) { s.answers(1, true, ":status: 502") }},
		{"a call without an answer", append(grpc, ":method: POST", ":path: /odi.Shop/Buy"), closes},
	} {
		for _, kind := range []probe.Kind{probe.Server, probe.Client} {
			s := newScript(kind)
			s.event(note{kind: tellBlock, byClient: true, stream: 1, bits: noteFirst | noteLast | noteNew, block: s.says(0, tc.asks...)})
			tc.answer(s)
			for _, x := range s.got {
				x.Local, x.Peer = netip.MustParseAddrPort("10.0.0.1:80"), netip.MustParseAddrPort("10.0.0.2:81")
				fmt.Fprintf(&got, "## %s, %s\n%s\n", tc.name, []string{"", "server", "client"}[kind], spanText(&x))
			}
		}
	}
	if strings.Contains(got.String(), "SECRET") {
		t.Errorf("a secret leaves the room:\n%s", got.String())
	}
	const golden = "testdata/spans.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// spanText writes a span down; labels have a star.
func spanText(x *probe.Exchange) string {
	var span probe.Span
	Decode(x, &span)
	var b strings.Builder
	fmt.Fprintf(&b, "%s", span.Name)
	if span.Failed {
		b.WriteString(" FAILED")
	}
	if span.Instrument != nil {
		fmt.Fprintf(&b, " -> %s", span.Instrument.Name)
	}
	b.WriteByte('\n')
	for _, a := range span.Attributes {
		label, value := " ", a.Text
		if a.IsLabel {
			label = "*"
		}
		if a.IsNumber {
			value = fmt.Sprint(a.Number)
		}
		fmt.Fprintf(&b, "%s %s = %s\n", label, a.Key, value)
	}
	return b.String()
}
