// Command bytes proves that the engine leaves the bytes of other protocols alone:
// random messages of many protocols go through traced clients, and every byte is
// compared.
//
//	go run ./hack/prove/bytes -messages 100000
//
// It needs root and prints its seed.
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
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "what the messages are made from")
	flag.IntVar(&o.messages, "messages", 100_000, "messages to send")
	flag.StringVar(&o.only, "only", "", "protocols whose names contain this alone")
	flag.Parse()
	ok, err := o.prove(os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "prove:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}
