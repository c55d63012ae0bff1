package talk

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/odi-dev/odi/hack/prove/script"
)

// calls are the names of script.How.
var calls = []string{script.Plain: "write", script.Vector: "writev", script.Socket: "send", script.Message: "sendmsg", script.More: "MSG_MORE", script.File: "sendfile", script.Many: "sendmmsg"}

// Features names what is special about a conversation, so that those that fail can
// be told from those that do not.
func (c Conversation) Features() []string {
	found := map[string]bool{"end: " + string(c.End): true}
	for i, side := range [...]string{"client", "server"} {
		found[fmt.Sprintf("%s sends: %s", side, c.Send[i].Cut)] = true
		found[fmt.Sprintf("%s sends by %s", side, calls[c.Send[i].Call])] = true
		found[fmt.Sprintf("%s reads: %s", side, c.Recv[i].Cut)] = true
	}
	found["small SO_SNDBUF"] = c.SendBuf > 0
	found["non-blocking"] = c.NonBlock
	for _, r := range c.Rounds {
		found["flow: "+string(r.Flow)] = true
		if n := len(r.Exchanges); n > 4 {
			found["deeper than 4"] = true
		} else if n > 1 {
			found["depth 2 to 4"] = true
		}
		for _, x := range r.Exchanges {
			x.features(found)
		}
	}
	var all []string
	for f, is := range found {
		if is {
			all = append(all, f)
		}
	}
	slices.Sort(all)
	return all
}

func (x Exchange) features(found map[string]bool) {
	r, a := x.Request, x.Answer
	mark := func(name string, is bool) { found[name] = found[name] || is }
	mark("method with lower case", strings.ToUpper(r.Method) != r.Method)
	mark("unusual method", slices.Contains(unusual, r.Method))
	mark("HEAD", r.Method == http.MethodHead)
	mark("target without an id", r.Target == "*" || r.Target == "/")
	mark("empty lines before a request", r.Lead > 0)
	mark("request with bare LF", r.BareLF)
	mark("answer with bare LF", a.BareLF)
	mark("HTTP/1.0 request", r.Version == "HTTP/1.0")
	mark("first line > 512", len(r.firstLine()) > 512)
	mark("own traceparent", r.Trace != "" && !r.BadOwn)
	mark("own bad traceparent", r.BadOwn)
	mark("interim answers", len(a.Interim) > 0)
	mark("no reason", a.Reason == "")
	mark(fmt.Sprintf("status %d", a.Status), a.Status < 200 || a.Status == 204 || a.Status == 205 || a.Status == 304)
	for side, lines := range map[string][]string{"request": r.Lines, "answer": a.Lines} {
		size := len(strings.Join(lines, "  "))
		mark(side+" head > 512", size > 512)
		mark(side+" head > 4K", size > 4096)
		mark(side+" head > 16K", size > 16384)
	}
	r.Body.features("request", found)
	a.Body.features("answer", found)
}

func (b Body) features(side string, found map[string]bool) {
	mark := func(name string, is bool) { found[side+" "+name] = found[side+" "+name] || is }
	mark("body: "+string(b.Framing), b.Framing != NoBody)
	mark("body > 1M", b.Size > 1_000_000)
	mark("chunks > 60", len(b.Chunks) > 60)
	mark("chunk extensions", b.Ext)
	mark("zeros before chunk sizes", b.Zeros > 0)
	mark("trailers", len(b.Trailers) > 0)
	mark("framing line folded", strings.Contains(b.Line, "\n "))
	mark("framing line twice", strings.Contains(b.Line, "\n") && !strings.Contains(b.Line, "\n "))
	mark("framing line with blank behind", strings.TrimRight(b.Line, " \t") != b.Line)
	mark("framing line with odd blanks", strings.Contains(b.Line, "     ") || strings.Contains(b.Line, ":\t") || strings.Contains(b.Line, " \t "))
	mark("lengths as a list", strings.Contains(b.Line, "%d, %d"))
}
