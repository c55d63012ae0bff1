package gather

import (
	"context"
	"sync"

	authorizationv1 "k8s.io/api/authorization/v1"

	"github.com/odi-dev/odi/cli/checks"
)

// parallel is how many questions are asked at once.
const parallel = 16

// rights asks what the user may do, as kubectl auth can-i does.
func rights(ctx context.Context, g *gatherer) {
	all := checks.Rights()
	answers := make([]checks.Known[bool], len(all))
	each(len(all), func(i int) {
		r := all[i]
		attributes := authorizationv1.ResourceAttributes{Verb: r.Verb, Group: r.Group}
		attributes.Resource, attributes.Subresource = r.Parts()
		if r.Own {
			attributes.Namespace = g.Namespace
		}
		review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &attributes}}
		err := g.c.Create(ctx, review)
		answers[i] = read(g, review.Status.Allowed, err)
	})
	for i, r := range all {
		g.facts.Rights[r] = answers[i]
	}
}

// each calls do for 0 to n-1, several at a time.
func each(n int, do func(int)) {
	var group sync.WaitGroup
	slots := make(chan struct{}, parallel)
	for i := range n {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			do(i)
		})
	}
	group.Wait()
}
