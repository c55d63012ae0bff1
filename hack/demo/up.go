package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/odi-dev/odi/hack/cluster/progress"
	"github.com/odi-dev/odi/hack/demo/jaeger"
	"github.com/odi-dev/odi/hack/demo/shop"
	"github.com/odi-dev/odi/hack/demo/stage"
	"github.com/odi-dev/odi/hack/demo/traffic"
)

// demo is one run. Each step fills in what the next ones need.
type demo struct {
	local      stage.Local
	kubeconfig string
	// foreign says that the cluster is the user's: it is not started, loaded or stopped.
	foreign bool
	// registry is where a foreign cluster pulls the images from; empty when its nodes hold them.
	registry string
	out      *os.File

	cluster *stage.Cluster
	loads   []load
	// orders is the load of orders.
	orders load
	// pages is the load of product pages, sent when language agents were there.
	pages load
}

// load is what was sent under one name.
type load struct {
	name    string
	started time.Time
	results []traffic.Result
}

func (d *demo) up(ctx context.Context) error {
	start := time.Now()
	steps := []progress.Step{
		{What: "bringing up Kubernetes", About: 30 * time.Second, Run: d.bringUp},
		{What: "building and loading the images", About: 30 * time.Second, Run: d.loadImages},
	}
	if d.foreign {
		steps = []progress.Step{
			{What: "reaching the cluster of KUBECONFIG", Run: d.reach},
			{What: "pushing the images to " + d.registry, About: 30 * time.Second, Run: d.pushImages},
		}
		if d.registry == "" {
			steps = steps[:1] // The nodes hold the images, or say that they do not.
		}
	}
	err := progress.Run(ctx, os.Stderr, append(steps, []progress.Step{
		{What: "installing odi and deploying the shop and Jaeger", About: 30 * time.Second, Run: d.deploy},
		{What: "odi destination add jaeger --endpoint " + jaeger.OTLPEndpoint, Run: d.addDestination},
		{What: "odi instrument namespace " + shop.Namespace, Run: d.instrument},
		{What: "sending traffic", About: 10 * time.Second, Run: d.drive},
		{What: "reading the traces back from Jaeger", Run: d.show},
		{What: "sending orders by HTTPS, which go to gRPC, Redis, and PostgreSQL over TLS", Run: d.driveOrders},
		{What: "reading the trace of an order back from Jaeger", Run: d.showOrder},
		{What: "odi instrument deployment " + strings.Join(shop.WithAgents, "|") + " --method agent --rollout auto", About: 40 * time.Second, Run: d.useAgents},
		{What: "sending traffic", Run: d.drivePages},
		{What: "reading a trace of eBPF and agents back from Jaeger", Run: d.showMixed},
	}...))
	if err != nil {
		return err
	}
	return d.whereToLook(time.Since(start))
}

func (d *demo) bringUp(ctx context.Context) error {
	kubeconfig, err := d.local.Up(ctx)
	if err != nil {
		return err
	}
	d.kubeconfig = kubeconfig
	d.cluster, err = stage.Open(kubeconfig)
	return err
}

// reach opens the user's cluster.
func (d *demo) reach(ctx context.Context) error {
	cluster, err := stage.Open(d.kubeconfig)
	if err != nil {
		return err
	}
	d.cluster = cluster
	return cluster.Claim(ctx)
}

func (d *demo) pushImages(ctx context.Context) error {
	images, err := d.local.Push(ctx, d.registry)
	d.cluster.Images = images
	return err
}

func (d *demo) loadImages(ctx context.Context) error {
	archives, err := d.local.Images(ctx)
	if err != nil {
		return err
	}
	if err := d.local.Load(ctx, archives); err != nil {
		return err
	}
	return d.cluster.RestartStale(ctx, archives, append([]string{stage.System}, stage.Namespaces...)...)
}

// deploy installs odi while the shop starts: they do not know of each other.
func (d *demo) deploy(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		return d.odi(ctx, append([]string{"install", "--wait"}, d.cluster.Images.InstallFlags()...)...)
	})
	group.Go(func() error { return d.deployShop(ctx) })
	return group.Wait()
}

func (d *demo) deployShop(ctx context.Context) error {
	for _, manifest := range [][]byte{jaeger.Manifest, traffic.Manifest} {
		if err := d.cluster.Apply(ctx, manifest); err != nil {
			return err
		}
	}
	for _, manifests := range shop.Everything {
		if err := d.cluster.ApplyAll(ctx, manifests); err != nil {
			return err
		}
	}
	for _, namespace := range stage.Namespaces {
		if err := d.cluster.WaitReady(ctx, namespace, 2*time.Minute); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) addDestination(ctx context.Context) error {
	return d.odi(ctx, "destination", "add", "jaeger", "--endpoint", jaeger.OTLPEndpoint, "--replace")
}

func (d *demo) instrument(ctx context.Context) error {
	return d.odi(ctx, "instrument", "namespace", shop.Namespace, "--wait")
}

// odi runs bin/odi on the cluster.
func (d *demo) odi(ctx context.Context, args ...string) error {
	_, err := stage.Run(ctx, stage.Command{
		Dir: d.local.Root, Env: []string{"KUBECONFIG=" + d.kubeconfig},
		Args: append([]string{d.local.Root + "/bin/odi"}, args...), Progress: os.Stderr,
	})
	return err
}

// drive sends many requests at once, which show how the goroutines work that the
// frontend starts (docs/linked.md), and then one at a time.
func (d *demo) drive(ctx context.Context) error {
	for _, l := range []traffic.Load{
		{Requests: 1000, Concurrency: 20},
		{Requests: 20, Concurrency: 1, Pause: 100 * time.Millisecond},
	} {
		sent, err := d.send(ctx, l, fmt.Sprintf("demo%d", l.Concurrency))
		if err != nil {
			return err
		}
		d.loads = append(d.loads, sent)
	}
	return nil
}

// send drives one load whose markers begin with a name.
func (d *demo) send(ctx context.Context, l traffic.Load, name string) (load, error) {
	l.URL, l.Name = cmp.Or(l.URL, shop.FrontURL), fmt.Sprintf("%s-%d", name, time.Now().Unix())
	sent := load{name: l.Name, started: time.Now()}
	var err error
	if sent.results, err = d.cluster.Drive(ctx, l); err != nil {
		return load{}, err
	}
	fmt.Fprintf(os.Stderr, "      %d at a time: %s\n", l.Concurrency, traffic.Summarise(sent.results))
	return sent, nil
}
