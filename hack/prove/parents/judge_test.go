package main

import (
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

func TestJudge(t *testing.T) {
	server := func(id byte, path string) span { return span{id: pcommon.SpanID{id}, pid: 1, path: path} }
	client := func(parent byte, path string) span {
		return span{id: pcommon.SpanID{99}, parent: pcommon.SpanID{parent}, pid: 1, client: true, path: path}
	}
	tests := map[string]struct {
		spans      []span
		wantLinked int
		wantWrong  int
	}{
		"a question below its request":              {[]span{server(1, "/work/7"), client(1, "/dep/7")}, 1, 0},
		"a question without a parent":               {[]span{server(1, "/work/7"), client(0, "/dep/7")}, 0, 0},
		"below another request":                     {[]span{server(1, "/work/8"), client(1, "/dep/7")}, 0, 1},
		"below a request of another number's end":   {[]span{server(1, "/work/17"), client(1, "/dep/7")}, 0, 1},
		"below a span that was not exported":        {[]span{client(1, "/dep/7")}, 0, 1},
		"below a request of another process":        {[]span{{id: pcommon.SpanID{1}, pid: 2, path: "/work/7"}, client(1, "/dep/7")}, 0, 1},
		"a timer below a request":                   {[]span{server(1, "/work/7"), client(1, "/bg/timer/own")}, 0, 1},
		"a timer below a stream":                    {[]span{server(1, "/stream/own"), client(1, "/bg/timer/own")}, 0, 1},
		"a flusher below the request that began it": {[]span{server(1, "/work/0"), client(1, "/bg/flush/0")}, 0, 0},
		"a flusher below a later request":           {[]span{server(1, "/work/1"), client(1, "/bg/flush/0")}, 0, 1},
		"a proxy's stream below the client's":       {[]span{server(1, "/stream/own"), client(1, "/stream/own")}, 0, 0},
		"a proxy's question for permission":         {[]span{server(1, "/work/7"), client(1, "/bg/auth/own")}, 0, 0},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := judge(tc.spans)
			if got.linked != tc.wantLinked || len(got.wrong) != tc.wantWrong {
				t.Errorf("judge() = %d linked, wrong %q, want %d linked, %d wrong", got.linked, got.wrong, tc.wantLinked, tc.wantWrong)
			}
		})
	}
}
