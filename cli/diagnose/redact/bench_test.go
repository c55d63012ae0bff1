package redact

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkText is about a log of odi's: what it takes decides how much of logs there can be in 20 s.
func BenchmarkText(b *testing.B) {
	var log strings.Builder
	for i := range 4000 {
		fmt.Fprintf(&log, `{"time":"2026-11-26T21:00:%02dZ","level":"INFO","msg":"attached","pid":%d,"pod":"cart-5d9f8c7b6d-x%04d","container":"cart","runtime":"go 1.26.1"}`+"\n", i%60, i, i)
	}
	text := log.String()
	var secrets [][]byte
	for i := range 50 {
		secrets = append(secrets, fmt.Appendf(nil, "s3cr3t-value-%d", i))
	}
	r := New(secrets)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		r.Text(text)
	}
}
