// Command redaction proves that no secret of applications leaves them: it puts secrets where
// programs have them (URLs, headers, bodies, statements, keys, messages, environments, command
// lines), traces these programs with `odi run`, and looks for each secret in all that odi has
// told: spans and metrics as they were sent and printed, and its log.
//
//	go run ./hack/prove/redaction -secrets 200
//
// Real servers and clients talk: PostgreSQL, MariaDB, Redis, grpc-go, franz-go with kfake, curl,
// and interpreters. One secret stands where odi shows what there is, in a path: it has to be
// found everywhere, or the search is no good. It needs root and prints its seed.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/odi-dev/odi/bpf/guard"
	"github.com/odi-dev/odi/cli/run"
)

func main() {
	run.Canary()
	guard.Main()
	playRole()
	var o options
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "what the secrets are made from")
	flag.IntVar(&o.secrets, "secrets", 200, "secrets to hide; each place has one at least")
	flag.StringVar(&o.only, "only", "", "places whose names contain this alone")
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
