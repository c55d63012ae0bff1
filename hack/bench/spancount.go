package main

import (
	"io"
	"net/http"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// spansIn counts the spans of an export request in protobuf; 0: it is another one, or no such message.
func spansIn(r *http.Request) int64 {
	if !strings.Contains(r.Header.Get("Content-Type"), "protobuf") || r.Header.Get("Content-Encoding") != "" {
		return 0
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return 0
	}
	return countBelow(body, []protowire.Number{1, 2, 2}) // ResourceSpans, ScopeSpans, Span
}

// countBelow counts the messages at the end of a path of fields.
func countBelow(message []byte, path []protowire.Number) (count int64) {
	for len(message) > 0 {
		field, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return count
		}
		size := protowire.ConsumeFieldValue(field, kind, message[n:])
		if size < 0 {
			return count
		}
		if field == path[0] && kind == protowire.BytesType {
			if len(path) == 1 {
				count++
			} else if inner, ok := protowire.ConsumeBytes(message[n:]); ok > 0 {
				count += countBelow(inner, path[1:])
			}
		}
		message = message[n+size:]
	}
	return count
}
