package main

import (
	"context"
	"time"

	"github.com/odi-dev/odi/hack/demo/shop"
	"github.com/odi-dev/odi/hack/demo/traffic"
)

// useAgents asks for the agents of all services at once, and then waits for each. A shop of single pods
// is down for a moment while each is made anew, which --rollout auto accepts.
func (d *demo) useAgents(ctx context.Context) error {
	for _, more := range [][]string{nil, {"--wait", "--timeout", "3m"}} {
		for _, service := range shop.WithAgents {
			args := []string{"instrument", "deployment", service, "-n", shop.Namespace, "--method", "agent", "--rollout", "auto"}
			if err := d.odi(ctx, append(args, more...)...); err != nil {
				return err
			}
		}
	}
	return d.cluster.WaitReady(ctx, shop.Namespace, time.Minute)
}

// drivePages sends product pages one at a time.
func (d *demo) drivePages(ctx context.Context) (err error) {
	d.pages, err = d.send(ctx, traffic.Load{Path: shop.PagePath, Requests: 20, Concurrency: 1, Pause: 100 * time.Millisecond}, "pages")
	return err
}

func (d *demo) showMixed(ctx context.Context) error {
	return d.showTypical(ctx, d.pages, shop.PageServices)
}
