package main

import (
	"context"
	"flag"
	"os"
	"strings"
	"time"

	"github.com/odi-dev/odi/internal/nodefacts"
	"github.com/odi-dev/odi/odiglet/facts"
)

// factsWithin bounds the whole look: `odi check` waits no longer.
const factsWithin = 8 * time.Second

// printFacts is `odiglet facts`, which `odi check` runs in a short-lived pod: it writes what the node
// can do as JSON to stdout, or to the file that the kubelet reads a container's last message from.
func printFacts(args []string) error {
	flags := flag.NewFlagSet("odiglet facts", flag.ExitOnError)
	engine := flags.Bool("engine", true, "load the engine into the kernel and let it go")
	addresses := flags.String("call", "", "addresses, as host:port with commas between, to look up and to connect to")
	into := flags.String("into", "", "file to write to instead of stdout")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), factsWithin)
	defer cancel()
	o := facts.Options{Root: "/", Engine: *engine}
	if *addresses != "" {
		o.Addresses = strings.Split(*addresses, ",")
	}
	data, err := nodefacts.Encode(facts.See(ctx, o))
	if err != nil {
		return err
	}
	if *into != "" {
		return os.WriteFile(*into, data, 0o600)
	}
	_, err = os.Stdout.Write(append(data, '\n'))
	return err
}
