package gather

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/odi-dev/odi/cli/checks"
	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/release"
	"github.com/odi-dev/odi/internal/version"
)

// Options say what to look at.
type Options struct {
	// Namespace is odi's own, or is to be.
	Namespace string
	Run       checks.Phase
	// Values of the chart that the user gives beside those of the release.
	Values map[string]any
	// Pods has nodes asked by short-lived pods, which are the only thing that is made.
	Pods bool
	// Ask has the gateway send marked data to Destinations of which nothing else is known.
	Ask bool
}

// gatherer reads facts. Its parts run at the same time, each for fields of its own.
type gatherer struct {
	Options
	to     *cluster.Cluster
	config *rest.Config
	c      client.Client
	facts  *checks.Facts
	// chart is what would be applied; empty where the values do not fit.
	chart []*unstructured.Unstructured
}

// part is a read that stands alone.
type part func(context.Context, *gatherer)

// first are those that others need; the others follow all at once.
var (
	first = []part{house, nodes, releases, definitions}
	then  = []part{served, deadAPIs, hooks, rights, quotas, limits, pullSecrets, classes, foreign, marked, strays, ownHook, podRefusal}
	// before and after are of one run alone.
	before = []part{refusals}
	after  = []part{observe, hookEndpoints, certificates, destinations, configs}
)

// Facts reads everything that checks of a run need. It fails only where there is no client at all.
func Facts(ctx context.Context, to *cluster.Cluster, o Options) (checks.Facts, error) {
	config, err := to.Config()
	if err != nil {
		return checks.Facts{}, err
	}
	c, err := to.Client()
	if err != nil {
		return checks.Facts{Namespace: o.Namespace, Version: version.Version, Server: checks.Not[checks.Server](to.Explain(err).Error())}, nil
	}
	facts := checks.Facts{Namespace: o.Namespace, Version: version.Version, Now: time.Now(), Rights: map[checks.Right]checks.Known[bool]{}}
	g := &gatherer{Options: o, to: to, config: config, c: c, facts: &facts}
	server(ctx, g)
	if !facts.Server.Read {
		return facts, nil // everything else would say the same
	}
	g.all(ctx, first)
	g.values(ctx)
	parts := append([]part(nil), then...)
	if o.Run == checks.Before {
		parts = append(parts, before...)
	} else {
		parts = append(parts, after...)
	}
	if o.Pods {
		parts = append(parts, onNodes)
	} else {
		facts.OnNodes = checks.Not[nodesSeen](noPods)
		facts.Called = checks.Not[[]checks.Call](noPods)
	}
	g.all(ctx, parts)
	return facts, nil
}

// noPods is why nothing is known that only pods see.
const noPods = "no node was asked by a pod"

func (g *gatherer) all(ctx context.Context, parts []part) {
	var group sync.WaitGroup
	for _, p := range parts {
		group.Go(func() { p(ctx, g) })
	}
	group.Wait()
}

// values are those of the release below those of the user, and what the chart makes of them.
func (g *gatherer) values(ctx context.Context) {
	given := g.facts.Release.Value.State.Values
	if !g.facts.Release.Read && g.Run == checks.After {
		g.facts.Values = checks.Not[map[string]any](g.facts.Release.Why)
		g.facts.ValuesProblem = checks.Not[string](g.facts.Release.Why)
		return
	}
	merged := release.MergeValues(given, g.Values)
	g.facts.Values = checks.Of(merged)
	text, err := release.Render(ctx, g.Namespace, merged)
	if err != nil {
		g.facts.ValuesProblem = checks.Of(err.Error())
		return
	}
	g.facts.ValuesProblem = checks.Of("")
	g.chart = documents(text)
}

// read is what a question had for an answer, or why it had none.
func read[T any](g *gatherer, value T, err error) checks.Known[T] {
	if err != nil {
		return checks.Not[T](strings.TrimPrefix(g.to.Explain(err).Error(), "no permission: "))
	}
	return checks.Of(value)
}

// noChart is why what rests on the rendered chart is unknown.
func (g *gatherer) noChart() string {
	if why := g.facts.ValuesProblem.Why; why != "" {
		return why
	}
	return fmt.Sprintf("the chart could not be rendered: %s", g.facts.ValuesProblem.Value)
}
