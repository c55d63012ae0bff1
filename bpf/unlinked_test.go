package bpf

import (
	"strings"
	"testing"
)

func TestUnlinked(t *testing.T) {
	const moved = 2
	tests := map[string]struct {
		target targetValue
		want   string // the beginning
	}{
		"an event loop":                  {targetValue{Trust: moved, Clients: 10}, "works on many requests in one thread"},
		"a runtime that is known for it": {targetValue{Flags: flagStrict, Clients: 10}, "works on many requests in one thread"},
		"a pool behind a thread":         {targetValue{Trust: 1, Clients: 10}, "asks from threads that serve no request"},
		"a pool of goroutines":           {targetValue{Flags: flagGo, Clients: 10}, "asks from goroutines that"},
		"a proxy that rewrites":          {targetValue{Flags: flagProxy, Clients: 10}, "changes what it forwards"},
		"too few to tell":                {targetValue{Trust: moved, Clients: 9}, ""},
		"one is linked":                  {targetValue{Trust: 1, Clients: 1000, Linked: 1}, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := unlinked(&tc.target)
			if !strings.HasPrefix(got, tc.want) || (tc.want == "") != (got == "") {
				t.Errorf("unlinked() = %q, want %q", got, tc.want)
			}
		})
	}
}
