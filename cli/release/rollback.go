package release

import (
	"context"
	"errors"
	"fmt"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/kube"
)

// ErrNothingBefore says that there is no revision that was applied without error.
var ErrNothingBefore = errors.New("there is no earlier state that could be had again")

// GoBack applies the revision again that was deployed before, with its chart and its values. why is kept with the new one.
func (r *Release) GoBack(ctx context.Context, command string, before State, why string) error {
	if !before.Deployed {
		return ErrNothingBefore
	}
	turn, err := takeTurn(ctx, r.client, r.namespace, command)
	if err != nil {
		return err
	}
	defer turn.End(ctx)
	rollback := action.NewRollback(r.config)
	rollback.Version = before.Revision
	rollback.WaitStrategy = kube.HookOnlyStrategy
	rollback.Timeout = applyTimeout
	rollback.ServerSideApply = "true"
	// The upgrade that failed is the only one who wrote since.
	rollback.ForceConflicts = true
	rollback.MaxHistory = 5
	rollback.Description = shortened("rolled back: " + why)
	if err := rollback.Run(Name); err != nil {
		return fmt.Errorf("rolling back: %w", err)
	}
	return nil
}

// shortened keeps to what Helm takes as a description.
func shortened(text string) string {
	if len(text) <= action.MaxDescriptionLength {
		return text
	}
	return text[:action.MaxDescriptionLength-len("...")] + "..."
}
