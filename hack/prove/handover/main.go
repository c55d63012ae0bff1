// Command handover proves on a cluster that nothing is lost or told twice while a service changes
// hands: each service of the shop that has an agent gets several pods and a steady load, and then
// its agent by a rollout, and loses it again. Every request that was answered must have one server
// span, of eBPF or of the agent, below the client's own span.
//
// It works on the cluster of make demo, or on that of KUBECONFIG if the demo was made there.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/odi-dev/odi/hack/demo/shop"
	"github.com/odi-dev/odi/hack/demo/stage"
)

func main() {
	services := flag.String("services", strings.Join(shop.WithAgents, ","), "Deployments of the shop, one after the other")
	var p prover
	flag.IntVar(&p.rate, "rate", 50, "requests a second")
	flag.IntVar(&p.pods, "pods", 3, "replicas of each service")
	flag.DurationVar(&p.still, "still", 10*time.Second, "how long the load goes on before, between and after the changes")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	faults, err := p.proveAll(ctx, strings.Split(*services, ","))
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "handover:", err)
		os.Exit(2)
	case faults > 0:
		fmt.Fprintf(os.Stderr, "handover: %d requests have no span, several, or a wrong parent\n", faults)
		os.Exit(1)
	}
}

// open reaches the demo's cluster.
func open(ctx context.Context) (*stage.Cluster, error) {
	kubeconfig := os.Getenv("KUBECONFIG")
	if kubeconfig == "" {
		path, err := stage.Run(ctx, stage.Command{Args: []string{"hack/run.sh", "cluster", "kubeconfig"}})
		if err != nil {
			return nil, fmt.Errorf("finding the demo's cluster (make demo starts it): %w", err)
		}
		kubeconfig = strings.TrimSpace(path)
	}
	return stage.Open(kubeconfig)
}
