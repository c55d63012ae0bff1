package peer

import (
	"strings"
	"testing"

	"github.com/odi-dev/odi/hack/prove/script"
)

const header = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"

func TestStripper(t *testing.T) {
	const line, rest = "GET / HTTP/1.1\r\n", "transfer-encoding: chunked\r\n\r\n"
	tests := map[string]struct {
		came   string
		header bool
		fault  bool
	}{
		"as sent":                {line + rest, false, false},
		"with a header":          {line + header + rest, true, false},
		"with two":               {line + header + header + rest, true, true},
		"with one elsewhere":     {line + rest[:28] + header + rest[28:], false, true},
		"with an odd one":        {line + strings.Replace(header, "00-0", "00-X", 1) + rest, false, true},
		"with half a header":     {line + header[:40] + rest, false, true},
		"a byte less":            {line + rest[1:], false, true},
		"a byte more at the end": {line + rest + "x", false, true},
	}
	for name, tc := range tests {
		for _, step := range []int{1, 7, 1000} {
			s := newStripper(&script.Side{In: []byte(line + rest), Inserts: []uint32{uint32(len(line))}})
			var err error
			for b := tc.came; b != "" && err == nil; b = b[min(step, len(b)):] {
				err = s.feed([]byte(b[:min(step, len(b))]))
			}
			if (err != nil) != tc.fault {
				t.Errorf("%s, in steps of %d: %v", name, step, err)
			}
			if err == nil && (s.headers[0] != "") != tc.header {
				t.Errorf("%s: headers %q", name, s.headers)
			}
		}
	}
}
