package gather

import (
	"context"
	"errors"
	"fmt"
	"strings"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/checks"
	"github.com/odi-dev/odi/internal/trial"
)

// mostAsked bounds the programs that one check starts beside the gateway, whose memory they share.
const mostAsked = 5

// asking has the gateway test the Destinations of which nothing else is known. What is
// not answered in the command's time is unknown.
func (g *gatherer) asking(ctx context.Context, all []odiv1.Destination) {
	if !g.Ask {
		g.facts.Asked = checks.Not[[]checks.Asked]("--no-ask was given")
		return
	}
	var open []odiv1.Destination
	for _, d := range all {
		if checks.NeedsAsking(d) && len(open) < mostAsked {
			open = append(open, d)
		}
	}
	from := trial.Cluster{Client: g.c, Config: g.config, Namespace: g.Namespace}
	answers := make([]checks.Asked, len(open))
	each(len(open), func(i int) {
		result, err := from.Destination(ctx, &open[i])
		answers[i] = askedOf(&open[i], result, err)
	})
	g.facts.Asked = checks.Of(answers)
}

func askedOf(d *odiv1.Destination, r trial.Result, err error) checks.Asked {
	a := checks.Asked{Destination: d.Namespace + "/" + d.Name, Problem: r.Problem}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		a.Problem = "there was no answer in the time of this check (--timeout)"
	case err != nil:
		a.Problem = err.Error()
	}
	var refused []string
	for _, f := range r.Signals {
		if !f.Accepted {
			refused = append(refused, fmt.Sprintf("%s: %s: %s", f.Signal, f.Step, f.Cause))
		}
	}
	a.Refused = strings.Join(refused, "; ")
	return a
}
