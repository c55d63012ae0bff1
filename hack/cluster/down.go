package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/odi-dev/odi/hack/cluster/node"
	"github.com/odi-dev/odi/hack/cluster/progress"
)

// runDown stops the cluster and removes all of it but the caches.
func runDown(ctx context.Context, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%w: down takes no arguments", errUsage)
	}
	if err := needRoot(); err != nil {
		return err
	}
	c, err := thisCluster()
	if err != nil {
		return err
	}
	return progress.Run(ctx, os.Stderr, []progress.Step{
		{What: "stopping the programs", Run: func(context.Context) error { return c.stop() }},
		{What: "removing pods, mounts, network and folders", Run: func(ctx context.Context) error { return node.Remove(ctx, c.Cluster) }},
		{What: "checking that nothing is left", Run: func(context.Context) error { return c.check() }},
	})
}

// grace is short: the API server would wait for its watchers, and nothing that
// a program could still write is kept.
const grace = time.Second

// stop stops the programs in the reverse order of starting them.
func (c cluster) stop() error {
	var errs []error
	for _, name := range slices.Backward(components) {
		errs = append(errs, c.records.Stop(name, grace))
	}
	return errors.Join(errs...)
}

func (c cluster) check() error {
	left, err := node.Leftovers(c.Cluster)
	if err != nil {
		return err
	}
	if len(left) > 0 {
		return fmt.Errorf("left behind:\n  %s", strings.Join(left, "\n  "))
	}
	return nil
}
