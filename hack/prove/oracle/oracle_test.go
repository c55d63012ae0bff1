package oracle

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/hack/prove/script"
	"github.com/odi-dev/odi/hack/prove/talk"
)

const ms = int64(time.Millisecond)

// played is two requests of which all was seen as it was.
func played() ([]talk.Want, Seen) {
	own := "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	fine := talk.Outcome{Status: 200, Faults: talk.Fine, RespBody: 2}
	wants := []talk.Want{
		{Line: "GET /a HTTP/1.1", Head: []byte("GET /a HTTP/1.1\r\nHost: x\r\n\r\n"), Server: fine, Client: fine},
		{Line: "PUT /b HTTP/1.1", Head: []byte("PUT /b HTTP/1.1\r\ntraceparent: " + own + "\r\n\r\n"), Trace: own, ReqBody: -1, Server: fine, Client: fine},
	}
	times := []script.Times{{BeginFrom: 1, BeginTo: 2, FinishFrom: 20 * ms, FinishTo: 20*ms + 1}, {BeginFrom: 1, BeginTo: 2, FinishFrom: 30 * ms, FinishTo: 30*ms + 1}}
	header := "00-11111111111111111111111111111111-2222222222222222-01"
	seen := Seen{
		Client: &script.Result{Times: times},
		Server: &script.Result{Times: times, Headers: []string{header}},
	}
	first := Span{probe.Exchange{Kind: probe.Client, StatusCode: 200, ResponseBodySize: 2, Injected: true, RequestHead: wants[0].Head, Start: time.Unix(1, 0), End: time.Unix(1, 20*ms)}}
	copy(first.TraceID[:], strings.Repeat("\x11", 16))
	copy(first.SpanID[:], strings.Repeat("\x22", 8))
	second := Span{probe.Exchange{Kind: probe.Client, StatusCode: 200, ResponseBodySize: 2, RequestBodySize: -1, RequestHead: wants[1].Head, Start: time.Unix(2, 0), End: time.Unix(2, 30*ms)}}
	copy(second.TraceID[:], "\x0a\xf7\x65\x19\x16\xcd\x43\xdd\x84\x48\xeb\x21\x1c\x80\x31\x9c")
	copy(second.ParentSpanID[:], "\xb7\xad\x6b\x71\x69\x20\x33\x31")
	seen.Spans = []Span{first, second, first, second}
	for i := range seen.Spans[2:] {
		s := &seen.Spans[2+i]
		s.Kind, s.Injected = probe.Server, false
		s.ParentSpanID = [8]byte{0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22}
	}
	seen.Spans[3].ParentSpanID = second.ParentSpanID
	seen.Spans[2].RequestHead = []byte("GET /a HTTP/1.1\r\ntraceparent: " + header + "\r\nHost")
	return wants, seen
}

func TestJudge(t *testing.T) {
	tests := map[string]struct {
		change func(*Seen)
		want   string
	}{
		"all as it was":            {func(*Seen) {}, "[]"},
		"a client span is missing": {func(s *Seen) { s.Spans = s.Spans[1:] }, "[lost client span]"},
		"a server span is missing": {func(s *Seen) { s.Spans = s.Spans[:3] }, "[lost server span]"},
		"a span came twice":        {func(s *Seen) { s.Spans = append(s.Spans, s.Spans[0]) }, "[extra client span]"},
		"a span without a path":    {func(s *Seen) { s.Spans[0].RequestHead = nil }, "[lost client span extra client span]"},
		"a span of another path":   {func(s *Seen) { s.Spans[2].RequestHead = []byte("GET /c HTTP/1.1\r\n") }, "[lost server span extra server span]"},
		"another status":           {func(s *Seen) { s.Spans[0].StatusCode = 500 }, "[client: status]"},
		"an error that was none":   {func(s *Seen) { s.Spans[2].Error = probe.ErrorReset }, "[server: error]"},
		"another request body":     {func(s *Seen) { s.Spans[1].RequestBodySize = 0 }, "[client: request body]"},
		"another response body":    {func(s *Seen) { s.Spans[3].ResponseBodySize = 3 }, "[server: response body]"},
		"6 ms too long":            {func(s *Seen) { s.Spans[0].End = s.Spans[0].End.Add(6 * time.Millisecond) }, "[client: duration]"},
		"6 ms too long while the host took 10 ms": {func(s *Seen) {
			s.Spans[0].End, s.Stolen = s.Spans[0].End.Add(6*time.Millisecond), 10*time.Millisecond
		}, "[]"},
		"16 ms too long while the host took 10 ms": {func(s *Seen) {
			s.Spans[0].End, s.Stolen = s.Spans[0].End.Add(16*time.Millisecond), 10*time.Millisecond
		}, "[client: duration]"},
		"6 ms too short":                 {func(s *Seen) { s.Spans[3].End = s.Spans[3].End.Add(-6 * time.Millisecond) }, "[server: duration]"},
		"4 ms too long":                  {func(s *Seen) { s.Spans[0].End = s.Spans[0].End.Add(4 * time.Millisecond) }, "[]"},
		"a header line is another":       {func(s *Seen) { s.Spans[0].RequestHead = []byte("GET /a HTTP/1.1\r\nHost: y") }, "[client: head]"},
		"the server has no parent":       {func(s *Seen) { s.Spans[2].ParentSpanID = [8]byte{} }, "[server: parent]"},
		"the server is in another trace": {func(s *Seen) { s.Spans[3].TraceID[0]++ }, "[server: trace]"},
		"the client's id is another":     {func(s *Seen) { s.Spans[0].SpanID[0]++ }, "[client: ids]"},
		"the client forgot its parent":   {func(s *Seen) { s.Spans[1].ParentSpanID = [8]byte{} }, "[client: parent]"},
		"a header that nobody claims":    {func(s *Seen) { s.Spans[0].Injected = false }, "[client: injected]"},
		"bytes were changed":             {func(s *Seen) { s.Server.Fault = "byte 3 differs" }, "[bytes or calls of the server]"},
		"a call failed":                  {func(s *Seen) { s.Client.Odd = "a call that waits said EAGAIN" }, "[error of a call of the client]"},
		"a reset of the client":          {func(s *Seen) { s.Client.Odd = script.ResetSaysAgain }, "[]"},
		"a reset of the server":          {func(s *Seen) { s.Server.Odd = script.ResetSaysAgain }, "[error of a call of the server]"},
		"a side did not report":          {func(s *Seen) { s.Client = nil }, "[no report]"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			wants, seen := played()
			tc.change(&seen)
			v := Judge(wants, seen, Traced{Server: true, Client: true})
			var got []string
			for _, p := range v.Problems {
				got = append(got, p.Kind)
			}
			if fmt.Sprint(got) != tc.want {
				t.Errorf("got %v, want %s", v.Problems, tc.want)
			}
		})
	}
}

func TestAHeaderMayBeMissing(t *testing.T) {
	wants, seen := played()
	seen.Server.Headers[0] = ""
	seen.Spans[0].Injected = false
	seen.Spans[2].RequestHead, seen.Spans[2].ParentSpanID = wants[0].Head, [8]byte{}
	v := Judge(wants, seen, Traced{Server: true, Client: true})
	if v.Bad() || v.NoHeader != 1 {
		t.Errorf("%d without header, problems %v", v.NoHeader, v.Problems)
	}
}

// TestACallThatWaitedForRoom: only where the buffer is small may the span begin when it returned.
func TestACallThatWaitedForRoom(t *testing.T) {
	for narrow, want := range map[bool]int{true: 0, false: 1} {
		wants, seen := played()
		seen.Narrow = narrow
		seen.Client.Times = slices.Clone(seen.Client.Times)
		seen.Spans[0].Start = seen.Spans[0].Start.Add(10 * time.Millisecond)
		seen.Client.Times[0].BeginTo += int64(10 * time.Millisecond)
		v := Judge(wants, seen, Traced{Server: true, Client: true})
		if len(v.Problems) != want || v.Waited != 1-want {
			t.Errorf("narrow %v: %d waited, problems %v", narrow, v.Waited, v.Problems)
		}
	}
}

// TestAConnectionThatMayHaveBroken: where the client may have left inside an answer, the server's span may end
// with the connection, long before the call of the server that still sends; nowhere else.
func TestAConnectionThatMayHaveBroken(t *testing.T) {
	for faults, want := range map[talk.Faults]int{talk.Fine | talk.Broken: 0, talk.Fine: 1} {
		wants, seen := played()
		wants[0].Server.Faults = faults
		seen.Spans[2].End = seen.Spans[2].End.Add(-10 * time.Millisecond)
		if v := Judge(wants, seen, Traced{Server: true, Client: true}); len(v.Problems) != want {
			t.Errorf("faults %b: problems %v", faults, v.Problems)
		}
	}
}

// TestACloseThatNobodyTellsOf: only there may the span of a request that broke last
// longer, and only until the other side was done.
func TestACloseThatNobodyTellsOf(t *testing.T) {
	tests := map[string]struct {
		untold bool
		done   time.Duration // after the client
		want   int
	}{
		"the other side met the end":             {true, 10 * time.Millisecond, 0},
		"it lasts longer than the other side":    {true, time.Millisecond, 1},
		"a transport whose close is always told": {false, 10 * time.Millisecond, 1},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			wants, seen := played()
			wants, seen.Spans = wants[:1], []Span{seen.Spans[0], seen.Spans[2]}
			seen.Untold = tc.untold
			seen.Client.Times = slices.Clone(seen.Client.Times[:1])
			seen.Server.Times = []script.Times{{FinishTo: seen.Client.Times[0].FinishTo + int64(tc.done)}}
			wants[0].Client.Faults = talk.Broken
			seen.Spans[0].Error = probe.ErrorClosed
			seen.Spans[0].End = seen.Spans[0].End.Add(10 * time.Millisecond)
			if v := Judge(wants, seen, Traced{Server: true, Client: true}); len(v.Problems) != tc.want {
				t.Errorf("%d met, problems %v", v.Met, v.Problems)
			}
		})
	}
}

func TestASideThatIsNotWatched(t *testing.T) {
	wants, seen := played()
	v := Judge(wants, seen, Traced{Server: true})
	if len(v.Problems) != 3 { // two spans and a header
		t.Errorf("problems: %v", v.Problems)
	}
}

// TestTwoOfOneLine: what tells them apart is their heads, not which began first.
func TestTwoOfOneLine(t *testing.T) {
	wants, seen := played()
	own := strings.TrimPrefix(string(wants[1].Head), wants[1].Line)
	wants[1].Line = wants[0].Line
	wants[1].Head = []byte(wants[1].Line + own)
	seen.Spans[1].RequestHead, seen.Spans[3].RequestHead = wants[1].Head, wants[1].Head
	for i := range seen.Spans {
		if i%2 == 1 { // the second request seems to have begun before the first
			took := seen.Spans[i].End.Sub(seen.Spans[i].Start)
			seen.Spans[i].Start = seen.Spans[i-1].Start.Add(-time.Microsecond)
			seen.Spans[i].End = seen.Spans[i].Start.Add(took)
		}
	}
	if v := Judge(wants, seen, Traced{Server: true, Client: true}); len(v.Problems) != 0 {
		t.Errorf("problems: %v", v.Problems)
	}
}

// TestAParentWithoutAHeader: through a unix socket the server may know the client's
// span though nothing was written; another span is wrong.
func TestAParentWithoutAHeader(t *testing.T) {
	for id, want := range map[byte]int{0x22: 0, 0x33: 1} {
		wants, seen := played()
		seen.Server.Headers[0] = ""
		seen.Spans[0].Injected = false
		seen.Spans[2].RequestHead = wants[0].Head
		seen.Spans[2].ParentSpanID[7] = id
		if v := Judge(wants, seen, Traced{Server: true, Client: true}); len(v.Problems) != want {
			t.Errorf("parent ...%x: %v", id, v.Problems)
		}
	}
}
