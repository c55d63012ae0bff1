package http2

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/bpf/probe"
)

// TestARequestThatTurned: the head of HTTP/1 with which a connection begins, which may be cut
// anywhere, is its first stream's; what it says is read as what a header block would say.
func TestARequestThatTurned(t *testing.T) {
	const trace = "00-0102030405060708090a0b0c0d0e0f10-1112131415161718-01"
	for name, tc := range map[string]struct {
		head, span, authority string
		cut                   bool
		trace                 string
	}{
		"whole":               {"GET /cart?id=1 HTTP/1.1\r\nHost: shop\r\nUpgrade: h2c\r\n\r\n", "GET /cart 200", "shop", false, ""},
		"with a trace":        {"GET / HTTP/1.1\r\nHost: shop\r\nTraceParent:  " + trace + "\r\n\r\n", "GET / 200", "shop", false, trace},
		"cut in a line":       {"GET /cart HTTP/1.1\r\nHost: shop\r\nUser-Agent: ha", "GET /cart 200", "shop", false, ""},
		"cut in its target":   {"GET /ca", "GET /ca 200", "", true, ""},
		"a name that is none": {"GET / HTTP/1.1\r\n:path: /other\r\nhost: shop\r\n\r\n", "GET / 200", "shop", false, ""},
		"an empty line first": {"\r\nGET / HTTP/1.1\r\nhost: shop\r\n\r\n", "GET / 200", "shop", false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(probe.Server)
			s.event(note{kind: tellTurned, byClient: true, stream: 1, bits: noteFirst | noteLast | noteNew, block: []byte(tc.head)})
			s.asks(3, "/next")
			s.answers(1, true, ":status: 200")
			s.answers(3, true, ":status: 204")
			s.check(t, []string{tc.span, "GET /next 204"}, map[string]int{})
			x := s.got[0]
			asked := readFields(x.RequestHead)
			if diff := cmp.Diff(tc.authority, string(asked[fieldAuthority])); diff != "" || x.HeadTruncated != tc.cut {
				t.Errorf("cut %v (-want +got):\n%s", x.HeadTruncated, diff)
			}
			if want, _, _, ok := parseTrace(tc.trace); ok && x.TraceID != want {
				t.Errorf("trace %x, want %x", x.TraceID, want)
			}
		})
	}
}
