package http2

import (
	"encoding/hex"
	"strings"
)

// traceLen is the length of a traceparent header of the first version.
const traceLen = 55

// parseTrace reads a traceparent header (w3.org/TR/trace-context, 3.2).
func parseTrace(s string) (trace [16]byte, parent [8]byte, flags uint8, ok bool) {
	if !isTrace(s) {
		return trace, parent, 0, false
	}
	var version, f [1]byte
	ok = fromHex(version[:], s[:2]) && fromHex(trace[:], s[3:35]) && fromHex(parent[:], s[36:52]) && fromHex(f[:], s[53:traceLen])
	return trace, parent, f[0], ok && version[0] != 0xff && trace != [16]byte{} && parent != [8]byte{}
}

// isTrace says whether the parts of a header are where they belong. Later versions may
// have more of them.
func isTrace(s string) bool {
	if len(s) < traceLen || s[2] != '-' || s[35] != '-' || s[52] != '-' {
		return false
	}
	return len(s) == traceLen || !strings.HasPrefix(s, "00") && s[traceLen] == '-'
}

func fromHex(to []byte, s string) bool {
	if strings.ContainsAny(s, "ABCDEF") {
		return false
	}
	_, err := hex.Decode(to, []byte(s))
	return err == nil
}
