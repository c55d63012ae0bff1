// Command http1 proves the engine's claim about HTTP/1 by trying it: random
// conversations through real sockets, each compared with what was seen of it.
//
//	go run ./hack/prove/http1 -messages 200000
//
// It needs root. It prints its seed; what fails is made smaller and written down, and
// -replay plays that again.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/odi-dev/odi/bpf/guard"
	"github.com/odi-dev/odi/hack/prove/peer"
)

func main() {
	guard.Main()
	peer.Main()
	var o options
	replay := ""
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "what the conversations are made from")
	flag.IntVar(&o.messages, "messages", 200_000, "requests to send")
	flag.IntVar(&o.shrink, "shrink", 5, "how many of the conversations that fail to make smaller")
	flag.Var(&o.without, "without", "leave out conversations with this feature, see the table; may be given often")
	flag.Var(&o.with, "with", "leave out conversations without this feature; given often: with none of them")
	flag.Var(&o.known, "known", "count problems of this kind, but do not fail for them; may be given often")
	flag.BoolVar(&o.gaps, "gaps", false, "try what docs/seen.md says is not seen, too")
	flag.StringVar(&o.only, "only", "", "casts whose description contains this alone")
	flag.StringVar(&o.except, "except", "", "no casts whose description contains this")
	flag.StringVar(&o.kind, "kind", "", "make smaller what has a problem of this kind, see the table")
	flag.IntVar(&o.list, "list", 0, "how many of these problems to print as they come, not made smaller")
	flag.StringVar(&o.dir, "dir", "dist/prove", "where conversations that fail are written")
	flag.StringVar(&replay, "replay", "", "play the conversation of this file alone")
	flag.Parse()
	run := func() (bool, error) { return o.prove(os.Stdout) }
	if replay != "" {
		run = func() (bool, error) { return replayFile(replay, os.Stdout) }
	}
	ok, err := run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "prove:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}
