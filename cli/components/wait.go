package components

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/progress"
	"github.com/odi-dev/odi/cli/streams"
)

// Wait shows the components until all of them are ready.
func Wait(ctx context.Context, io streams.Streams, to *cluster.Cluster, namespace string, timeout time.Duration) error {
	c, err := to.Client()
	if err != nil {
		return err
	}
	var latest []Component
	err = progress.Wait(ctx, io, timeout, func(ctx context.Context) ([]progress.Item, error) {
		seen, err := Observe(ctx, c, namespace)
		if err != nil {
			return nil, err
		}
		latest = Judge(seen)
		return items(latest), nil
	})
	if errors.Is(err, progress.ErrTimeout) {
		for _, component := range latest {
			if !component.Ready {
				return fmt.Errorf("%w; to see more: %s", err, component.Show)
			}
		}
	}
	return err
}

func items(list []Component) []progress.Item {
	items := make([]progress.Item, 0, len(list))
	for _, component := range list {
		items = append(items, progress.Item{Name: component.Name, Done: component.Ready, Text: component.Text})
	}
	return items
}
